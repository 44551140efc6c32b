package dev.levee.simulator.concurrency;

import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** N: adaptive limits of calls in flight, before a server that gets too many. */
public final class AdaptiveLimits {
    private static final Measure SCORE = Measure.more("goodput, % of the best fixed limit", 1);
    private static final Measure REFUSED = Measure.shown("refused, % of attempts", 1);
    private static final Measure LATE = Measure.less("late, % of calls", 2);
    private static final Measure P99 = Measure.less("p99 of those in time, ms", 0);
    private static final Measure LIMIT = Measure.shown("limit, mean", 1);
    private static final Measure SPREAD = Measure.shown("limit, deviation", 1);
    private static final Measure CRITICAL = Measure.more("critical calls served, %", 1);
    private static final String LIMITS = "limit";

    /**
     * What is added to each seed. The constants of the limits were chosen with runs of the seeds from 1 on; they are
     * judged by others.
     */
    private static final long HELD_OUT = 1_000;

    /** So many of the seeds that judge choose among the fixed limits; the choice is then run with all of them. */
    private static final int SEARCH_SEEDS = 3;

    private static final double[] SEARCHED = {
        0.125, 0.25, 0.5, 0.75, 0.875, 1, 1.125, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 4, 6, 8, 16
    };

    /** The best fixed limits, by what they were searched for. */
    private static final Map<String, Integer> BEST = new ConcurrentHashMap<>();

    private static final Map<String, Double> GOODPUT_OF_BEST = new ConcurrentHashMap<>();

    private AdaptiveLimits() {}

    /** The page. */
    public static Scenario scenario() {
        return new Scenario(
                "n-adaptive-limits",
                "N: adaptive limits of calls in flight",
                List.of(
                        part(Overloads.STEP, "Three times the load for a third of the time", """
                                Load of 0.7 of what the server can do, then 2.1, then 0.7 again.
                                """),
                        part(Overloads.RAMP, "Load that grows from 0.3 to 2.5", """
                                The load grows evenly.
                                """),
                        part(Overloads.SLOW_DOWN, "A server that becomes half as fast for good", """
                                Load of 0.9. After a third of the time the server does everything at half its speed, so
                                that it gets 1.8 of what it can do.
                                """),
                        part(Overloads.BIMODAL, "A cache that four of five calls hit", """
                                A hit is 1 ms of work, a miss 46 ms. Load of 0.8, then 1.6.
                                """),
                        part(Overloads.LOW_RATE, "Five calls a second", """
                                Two cores, calls of 200 ms, five a second for ten minutes: a limit that is too low turns
                                calls away for nothing.
                                """),
                        part(Overloads.RETRY_STORM, "A retry storm", """
                                Load of 0.8. For five seconds the server does a fifth of what it can. Callers try up to
                                four times, 50 to 150 ms after a refusal or a timeout.
                                """),
                        part(Overloads.TWO_CLASSES, "Twice the load, a fifth of it critical", """
                                Load of 2. Of the knee alone, half of the limit is guaranteed to the fifth of the calls
                                that is critical. Behind it a queue that goes by criticality, alone or behind a priority
                                shedder: one bulkhead that finds its limit. The others know no classes.
                                """),
                        part(Overloads.STEP.on(32), "Three times the load, on 32 cores", """
                                As the first one, with a server of four times the size and as many more calls.
                                """),
                        part(Overloads.SLOW_DOWN.on(4), "A server of 4 cores that becomes half as fast", """
                                As the third one, with a server of half the size and half the calls.
                                """)));
    }

    private static Part part(Overload overload, String title, String prose) {
        List<Subject> subjects = new ArrayList<>();
        for (String name : List.of(
                Admissions.KNEE,
                Admissions.AIMD,
                Admissions.VEGAS,
                Admissions.GRADIENT2,
                Admissions.GRADIENT2_WINDOWED)) {
            subjects.add(Subject.named(name, Subject.Role.SHIPPED));
        }
        if (overload.critical() > 0) {
            subjects.add(1, Subject.named(Admissions.QUEUE, Subject.Role.SHIPPED));
            subjects.add(2, Subject.named(Admissions.SHEDDER, Subject.Role.SHIPPED));
        }
        subjects.add(Subject.named(Admissions.ORACLE, Subject.Role.ORACLE));
        List<Measure> measures = new ArrayList<>(List.of(SCORE, REFUSED, LATE, P99, LIMIT, SPREAD));
        if (overload.critical() > 0) {
            measures.add(1, CRITICAL);
        }
        String id = "n-" + overload.id() + "-" + overload.cores();
        double[] seconds = new double[Overload.TICKS];
        for (int i = 0; i < seconds.length; i++) {
            seconds[i] = (i + 0.5) * overload.seconds() / seconds.length;
        }
        return Part.of(
                        id,
                        title,
                        prose + "A server of " + overload.cores() + " cores.",
                        subjects,
                        measures,
                        (subject, seed, scale) -> run(overload, subject.name(), HELD_OUT + seed, scale))
                .withPlot(results -> new LinePlot(title + ": the limit", "time, s", "calls that may be in flight")
                        .curves(results, LIMITS, seconds)
                        .svg());
    }

    private static Figures run(Overload overload, String name, long seed, double scale) {
        int best = best(overload, scale);
        Overload.Outcome outcome = name.equals(Admissions.ORACLE)
                ? overload.run(seed, scale, world -> Admissions.fixed(best))
                : overload.run(seed, scale, world -> Admissions.of(name, world, overload.critical() > 0));
        double bound = GOODPUT_OF_BEST.computeIfAbsent(key(overload, scale) + seed, key ->
                (double) overload.run(seed, scale, world -> Admissions.fixed(best)).good);
        double ticks = 10.0 * Overload.TICKS;
        double mean = outcome.limitSum / ticks;
        return new Figures()
                .curve(LIMITS, outcome.limits)
                .put(SCORE, 100 * outcome.good / bound)
                .put(CRITICAL, 100.0 * outcome.criticalGood / Math.max(1, outcome.criticalCalls))
                .put(REFUSED, 100.0 * outcome.refused / outcome.attempts)
                .put(LATE, 100.0 * outcome.late / outcome.calls)
                .put(P99, outcome.latencies.quantileMillis(0.99))
                .put(LIMIT, mean)
                .put(SPREAD, Math.sqrt(Math.max(0, outcome.limitSquares / ticks - mean * mean)));
    }

    private static String key(Overload overload, double scale) {
        return overload.id() + " " + overload.cores() + " " + scale + " ";
    }

    /** The fixed limit with the most goodput. */
    private static int best(Overload overload, double scale) {
        return BEST.computeIfAbsent(key(overload, scale), key -> {
            int best = 1;
            long most = -1;
            for (double share : SEARCHED) {
                int limit = Math.max(1, (int) Math.round(share * overload.cores()));
                long good = 0;
                for (long seed = 1; seed <= SEARCH_SEEDS; seed++) {
                    good += overload.run(HELD_OUT + seed, scale, world -> Admissions.fixed(limit)).good;
                }
                if (good > most) {
                    most = good;
                    best = limit;
                }
            }
            return best;
        });
    }
}
