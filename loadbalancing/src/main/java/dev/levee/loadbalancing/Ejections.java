package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Ejects endpoints for the outcomes of their calls: never the last usable one, never more than the configured share of
 * the set, and never for a fault that the others have as well.
 *
 * <p>The order of events is in {@link HealthMonitor}. Reviews call this, one at a time; figures may be read by any
 * thread. See ADR 44 and ADR 66.
 */
final class Ejections {
    /** Up to this share of peers that fail at the moment, each may do so for reasons of its own. */
    private static final double FEW_PEERS = 0.25;
    /** The failure rate of the peers from which a fault counts as shared: then ejection is reported as suspended. */
    private static final double SHARED_RATE = 0.5;
    /** The recent calls of the peers that are needed for a rate. */
    private static final long MIN_RECENT_CALLS = 10;

    private final int run;
    private final Outliers outliers;
    private final double maxShare;
    /** A failure is no evidence any more when an ejection for it would be over. */
    private final long fadeNanos;

    private volatile long count;
    /** Whether a fault that endpoints share has prevented an ejection lately. */
    private volatile boolean suspended;

    private boolean sharedInInterval;

    Ejections(HealthConfig<?> config) {
        run = config.consecutiveFailures();
        outliers = Outliers.of(config);
        maxShare = config.maxEjected();
        fadeNanos = Nanos.of(config.ejectFor());
    }

    long count() {
        return count;
    }

    boolean isSuspended() {
        return suspended;
    }

    /** Ejects endpoints whose calls failed in a row, those with the longest run first. */
    void byRuns(List<NodeHealth> nodes, long now) {
        if (run == 0) {
            return;
        }
        long[] runs = new long[nodes.size()]; // read once: calls go on while these are compared and sorted
        Arrays.setAll(runs, i -> nodes.get(i).run());
        int[] suspects = IntStream.range(0, runs.length)
                .filter(i -> runs[i] >= run
                        && nodes.get(i).health.isUsable()
                        && nodes.get(i).hasOutcomeSince(now - fadeNanos))
                .boxed()
                .sorted(Comparator.comparingLong((Integer i) -> runs[i]).reversed())
                .mapToInt(Integer::intValue)
                .toArray();
        if (suspects.length == 0) {
            return;
        }
        PeerOutcomes peers = new PeerOutcomes(nodes, runs, run, now);
        Room room = new Room(nodes);
        for (int i : suspects) {
            NodeHealth suspect = nodes.get(i);
            double rate = rateOf(peers, i, suspect.runSince());
            if (suspect.weigh(run, rate) >= run - 1e-9) {
                if (eject(suspect, room, runs[i] + " failures in a row", now)) {
                    peers.leave(i);
                }
            } else if (rate >= SHARED_RATE) {
                suspended = true;
                sharedInInterval = true;
            }
        }
    }

    /**
     * Returns the rate at which the other endpoints fail at the same time as a suspect: the greater of two.
     *
     * <p>The last outcome of each since the run began shows a fault that has just begun. These are few, and a quarter
     * of them may be failures for reasons of their own. The calls of the last one or two steps show a fault that lasts.
     */
    private static double rateOf(PeerOutcomes peers, int suspect, long since) {
        double last = peers.failingOf(suspect, since);
        double recent =
                peers.recentCalls() >= MIN_RECENT_CALLS ? (double) peers.recentFailures() / peers.recentCalls() : 0.0;
        return Math.max(last > FEW_PEERS ? last : 0.0, recent);
    }

    /** Ejects endpoints by the rates of an interval that is over, those with the lowest success rate first. */
    void byRates(List<NodeHealth> nodes, long now) {
        long[][] successesByStep = new long[nodes.size()][];
        long[][] failuresByStep = new long[nodes.size()][];
        for (int i = 0; i < nodes.size(); i++) {
            NodeHealth node = nodes.get(i);
            boolean usable = node.health.isUsable();
            successesByStep[i] = usable ? node.successesByStep() : new long[HealthMonitor.STEPS];
            failuresByStep[i] = usable ? node.failuresByStep() : new long[HealthMonitor.STEPS];
            node.nextInterval();
            node.health = node.health.intervalEnded();
        }
        long[] successes = Outliers.sums(successesByStep);
        long[] failures = Outliers.sums(failuresByStep);
        Outliers.Findings found = outliers.find(successesByStep, failuresByStep);
        suspended = sharedInInterval || found.shared();
        sharedInInterval = false;
        Room room = new Room(nodes);
        BitSet outlying = (BitSet) found.byFailureRate().clone();
        outlying.or(found.bySuccessRate());
        outlying.stream()
                .boxed()
                .sorted(Comparator.comparingDouble(i -> rate(successes[i], failures[i])))
                .forEach(i -> {
                    String why = failures[i] + " of " + (successes[i] + failures[i]) + " calls failed";
                    eject(nodes.get(i), room, why, now);
                });
    }

    private static double rate(long successes, long failures) {
        return (double) successes / (successes + failures);
    }

    /** Ejects an endpoint if it may be; returns whether it was. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one review at a time
    private boolean eject(NodeHealth node, Room room, String why, long now) {
        int allowed = maxShare == 0.0 ? 0 : Math.max(1, (int) (maxShare * room.all + 1e-9));
        if (!node.health.isUsable() || room.usable <= 1 || room.all - room.usable >= allowed) {
            return false;
        }
        node.health = node.health.eject(why, now);
        room.usable--;
        count++;
        return true;
    }

    /** How many endpoints there are, and are usable, in one review. */
    private static final class Room {
        final int all;
        int usable;

        Room(List<NodeHealth> nodes) {
            int undrained = 0;
            for (NodeHealth node : nodes) {
                undrained += node.health.isDraining() ? 0 : 1;
                usable += node.health.isUsable() ? 1 : 0;
            }
            all = undrained;
        }
    }
}
