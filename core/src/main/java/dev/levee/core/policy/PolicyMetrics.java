package dev.levee.core.policy;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of the policies of this package.
 *
 * @since 0.1
 */
public final class PolicyMetrics {
    /** Calls that hold a permit. */
    public static final Metric BULKHEAD_IN_FLIGHT = Metric.gauge("bulkhead.in.flight", "Calls that hold a permit.");

    /** Calls that wait for a permit. */
    public static final Metric BULKHEAD_WAITING = Metric.gauge("bulkhead.waiting", "Calls that wait for a permit.");

    /** Calls that may be in flight at once. */
    public static final Metric BULKHEAD_LIMIT = Metric.gauge("bulkhead.limit", "Calls that may be in flight at once.");

    /** Attempts after the first one. */
    public static final Metric RETRY_REPEATED = Metric.counter("retry.repeated", "Attempts after the first one.");

    /** Calls that failed after their last attempt. */
    public static final Metric RETRY_EXHAUSTED =
            Metric.counter("retry.exhausted", "Calls that failed after their last attempt.");

    /** Failures that were left to a retry further out. */
    public static final Metric RETRY_STOOD_DOWN =
            Metric.counter("retry.stood.down", "Failures that were left to a retry further out.");

    /** Attempts that the budget did not admit. */
    public static final Metric RETRY_REFUSED =
            Metric.counter("retry.refused", "Attempts that the budget did not admit.");

    /** Attempts that the budget could pay for now. */
    public static final Metric BUDGET_CREDIT =
            Metric.gauge("budget.credit", "Attempts that the budget could pay for now.");

    /** Attempts that the budget paid for. */
    public static final Metric BUDGET_WITHDRAWN =
            Metric.counter("budget.withdrawn", "Attempts that the budget paid for.");

    /** Attempts that the budget did not pay for. */
    public static final Metric BUDGET_REFUSED =
            Metric.counter("budget.refused", "Attempts that the budget did not pay for.");

    /** Calls that ran out of time. */
    public static final Metric TIMEOUT_TIMED_OUT = Metric.counter("timeout.timed.out", "Calls that ran out of time.");

    /** Calls that were not begun because their deadline had passed. */
    public static final Metric TIMEOUT_REFUSED =
            Metric.counter("timeout.refused", "Calls that were not begun because their deadline had passed.");

    /** Second and later attempts that were started. */
    public static final Metric HEDGE_FIRED =
            Metric.counter("hedge.fired", "Second and later attempts that were started.");

    /** Calls that a second or later attempt answered first. */
    public static final Metric HEDGE_WON =
            Metric.counter("hedge.won", "Calls that a second or later attempt answered first.");

    /** Attempts that were due and not admitted. */
    public static final Metric HEDGE_REFUSED =
            Metric.counter("hedge.refused", "Attempts that were due and not admitted.");

    /** Time after which another attempt starts. */
    public static final Metric HEDGE_DELAY =
            Metric.gauge("hedge.delay", Metric.Unit.NANOSECONDS, "Time after which another attempt starts.");

    /** Calls for which no source had an answer. */
    public static final Metric FALLBACK_FAILED =
            Metric.counter("fallback.failed", "Calls for which no source had an answer.");

    /** Failures that were replaced by a substitute. */
    public static final Metric FALLBACK_DEGRADED =
            Metric.counter("fallback.degraded", "Failures that were replaced by a substitute.");

    /** Failures that a source with a name of its own replaced. */
    public static final Metric FALLBACK_SUBSTITUTES =
            Metric.counter("fallback.substitutes", "Failures that a source with a name of its own replaced.", "source");

    /** 1 while faults are switched on, else 0. */
    public static final Metric FAULTS_ON = Metric.gauge("faults.on", "1 while faults are switched on, else 0.");

    /** Calls that an injected latency or hang holds now. */
    public static final Metric FAULTS_WAITING =
            Metric.gauge("faults.waiting", "Calls that an injected latency or hang holds now.");

    /** Calls that were hit by a fault. */
    public static final Metric FAULTS = Metric.counter("faults", "Calls that were hit by a fault.", "effect");

    private static final List<Metric> ALL = List.of(
            BULKHEAD_IN_FLIGHT,
            BULKHEAD_WAITING,
            BULKHEAD_LIMIT,
            RETRY_REPEATED,
            RETRY_EXHAUSTED,
            RETRY_STOOD_DOWN,
            RETRY_REFUSED,
            BUDGET_CREDIT,
            BUDGET_WITHDRAWN,
            BUDGET_REFUSED,
            TIMEOUT_TIMED_OUT,
            TIMEOUT_REFUSED,
            HEDGE_FIRED,
            HEDGE_WON,
            HEDGE_REFUSED,
            HEDGE_DELAY,
            FALLBACK_FAILED,
            FALLBACK_DEGRADED,
            FALLBACK_SUBSTITUTES,
            FAULTS_ON,
            FAULTS_WAITING,
            FAULTS);

    private PolicyMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
