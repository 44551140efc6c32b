package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * How many right answers per second clients that behave get in time, while a tenant floods and just before. Their
 * requests are of the same kinds at the same moments in both stretches: {@link Workload}.
 */
final class Goodput {
    /** The share of the undisturbed goodput that must be left. */
    static final double MIN_SHARE = 0.9;

    /** What comes later counts for nothing. */
    private static final long IN_TIME_NANOS = TimeUnit.MILLISECONDS.toNanos(Judge.DEGRADED_MILLIS);

    private final Map<Long, Outcome> before = new HashMap<>();
    private final Map<Long, Outcome> during = new HashMap<>();
    private final long nanos;

    /**
     * Compares two stretches.
     *
     * @param outcomes all that happened
     * @param floodNanos when the flood began, since the start of the load
     * @param nanos how long it took; the stretch before it is as long
     */
    Goodput(List<Outcome> outcomes, long floodNanos, long nanos) {
        this.nanos = nanos;
        for (Outcome outcome : outcomes) {
            Kind kind = outcome.request().kind();
            long at = outcome.request().atNanos() - floodNanos;
            if ((kind.isRedirect() || kind == Kind.SHORTEN) && at >= -nanos && at < nanos) {
                (at < 0 ? before : during).put(at < 0 ? at + nanos : at, outcome);
            }
        }
    }

    /** Puts the two figures. */
    void report(Report report) {
        report(report, outcome -> false);
    }

    /** Puts the two figures without pairs of requests of which one is explained by something else. */
    void report(Report report, Predicate<Outcome> explained) {
        long rightBefore = 0;
        long rightDuring = 0;
        for (Map.Entry<Long, Outcome> entry : before.entrySet()) {
            Outcome twin = during.get(entry.getKey());
            if (twin != null && !explained.test(entry.getValue()) && !explained.test(twin)) {
                rightBefore += inTime(entry.getValue());
                rightDuring += inTime(twin);
            }
        }
        report.put("goodputUndisturbed", perSecond(rightBefore));
        report.put("goodputFlood", perSecond(rightDuring));
    }

    /** Whether enough is left. */
    static boolean isKept(Report report) {
        return report.get("goodputFlood") >= MIN_SHARE * report.get("goodputUndisturbed");
    }

    private double perSecond(long count) {
        return Math.round(10.0 * count * TimeUnit.SECONDS.toNanos(1) / nanos) / 10.0;
    }

    private static int inTime(Outcome outcome) {
        return outcome.isRight() && outcome.latencyNanos() <= IN_TIME_NANOS ? 1 : 0;
    }
}
