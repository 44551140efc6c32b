package dev.levee.circuitbreaker;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of circuit breakers.
 *
 * @since 0.1
 */
public final class BreakerMetrics {
    /** State of the breaker. */
    public static final Metric BREAKER_STATE =
            Metric.state("breaker.state", "State of the breaker.", CircuitBreaker.State.class);

    /** Time since the state was entered. */
    public static final Metric BREAKER_TIME_IN_STATE =
            Metric.gauge("breaker.time.in.state", Metric.Unit.NANOSECONDS, "Time since the state was entered.");

    /** Calls in the window. */
    public static final Metric BREAKER_WINDOW_CALLS = Metric.gauge("breaker.window.calls", "Calls in the window.");

    /** Failures in the window. */
    public static final Metric BREAKER_WINDOW_FAILURES =
            Metric.gauge("breaker.window.failures", "Failures in the window.");

    /** Slow calls in the window. */
    public static final Metric BREAKER_WINDOW_SLOW = Metric.gauge("breaker.window.slow", "Slow calls in the window.");

    /** Share of the calls in the window that failed. */
    public static final Metric BREAKER_FAILURE_RATE =
            Metric.gauge("breaker.failure.rate", Metric.Unit.RATIO, "Share of the calls in the window that failed.");

    /** Share of the calls in the window that were slow. */
    public static final Metric BREAKER_SLOW_RATE =
            Metric.gauge("breaker.slow.rate", Metric.Unit.RATIO, "Share of the calls in the window that were slow.");

    /** Share of the calls that is admitted. */
    public static final Metric BREAKER_RAMP_SHARE =
            Metric.gauge("breaker.ramp.share", Metric.Unit.RATIO, "Share of the calls that is admitted.");

    /** Calls by their outcome: succeeded, failed, ignored or refused. */
    public static final Metric BREAKER_CALLS = Metric.counter(
            "breaker.calls", "Calls by their outcome: succeeded, failed, ignored or refused.", "verdict");

    /** Calls that were slow, whether they succeeded or failed. */
    public static final Metric BREAKER_CALLS_SLOW =
            Metric.counter("breaker.calls.slow", "Calls that were slow, whether they succeeded or failed.");

    /** Calls that ended after the state had changed, and changed nothing. */
    public static final Metric BREAKER_CALLS_LATE =
            Metric.counter("breaker.calls.late", "Calls that ended after the state had changed, and changed nothing.");

    private static final List<Metric> ALL = List.of(
            BREAKER_STATE,
            BREAKER_TIME_IN_STATE,
            BREAKER_WINDOW_CALLS,
            BREAKER_WINDOW_FAILURES,
            BREAKER_WINDOW_SLOW,
            BREAKER_FAILURE_RATE,
            BREAKER_SLOW_RATE,
            BREAKER_RAMP_SHARE,
            BREAKER_CALLS,
            BREAKER_CALLS_SLOW,
            BREAKER_CALLS_LATE);

    private BreakerMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
