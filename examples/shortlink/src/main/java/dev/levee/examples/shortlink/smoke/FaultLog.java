package dev.levee.examples.shortlink.smoke;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What was broken when: the judge believes this, and never what the service says about itself. */
final class FaultLog {
    private final List<Interval> faults = new ArrayList<>();
    private final List<Interval> databaseAway = new ArrayList<>();
    private final List<Interval> refills = new ArrayList<>();
    private final Map<String, Long> deaths = new HashMap<>();

    private record Interval(long from, long to) {
        boolean overlaps(long start, long end) {
            return start < to && end > from;
        }
    }

    void fault(long from, long to) {
        faults.add(new Interval(from, to));
    }

    /** The database could not answer, or not as fast as a redirect must be. */
    void databaseAway(long from, long to) {
        databaseAway.add(new Interval(from, to));
        fault(from, to);
    }

    /** What the limits are kept on was lost: they began with nothing, and refuse more than they need to. */
    void limitsRefill(long from, long to) {
        refills.add(new Interval(from, to));
    }

    void nodeDied(String incarnation, long at) {
        deaths.put(incarnation, at);
    }

    int nodesKilled() {
        return deaths.size();
    }

    boolean isDuringFault(Outcome outcome) {
        long due = outcome.request().atNanos();
        return faults.stream().anyMatch(fault -> fault.overlaps(due, due + 1));
    }

    /** Whether the database was live from the moment in which the request was due to its end. */
    boolean isDatabaseLive(Outcome outcome) {
        return databaseAway.stream()
                .noneMatch(away -> away.overlaps(outcome.request().atNanos(), outcome.endNanos()));
    }

    boolean doLimitsRefill(Outcome outcome) {
        return refills.stream().anyMatch(it -> it.overlaps(outcome.request().atNanos(), outcome.endNanos()));
    }

    boolean isAlive(String incarnation, long at) {
        return deaths.getOrDefault(incarnation, Long.MAX_VALUE) > at;
    }
}
