package dev.levee.ratelimit;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of limiters, keyed ones too.
 *
 * @since 0.1
 */
public final class LimiterMetrics {
    /** Permits that could be taken now. */
    public static final Metric LIMITER_PERMITS_AVAILABLE =
            Metric.gauge("limiter.permits.available", "Permits that could be taken now.");

    /** Calls that wait for permits. */
    public static final Metric LIMITER_CALLS_WAITING =
            Metric.gauge("limiter.calls.waiting", "Calls that wait for permits.");

    /** Calls that were admitted or refused. */
    public static final Metric LIMITER_CALLS =
            Metric.counter("limiter.calls", "Calls that were admitted or refused.", "verdict");

    /** Keys that are remembered. */
    public static final Metric LIMITER_KEYS = Metric.gauge("limiter.keys", "Keys that are remembered.");

    /** Keys that were added. */
    public static final Metric LIMITER_KEYS_ADDED = Metric.counter("limiter.keys.added", "Keys that were added.");

    /** Keys that were forgotten with permits in use, because there was no room. */
    public static final Metric LIMITER_KEYS_FORGIVEN = Metric.counter(
            "limiter.keys.forgiven", "Keys that were forgotten with permits in use, because there was no room.");

    private static final List<Metric> ALL = List.of(
            LIMITER_PERMITS_AVAILABLE,
            LIMITER_CALLS_WAITING,
            LIMITER_CALLS,
            LIMITER_KEYS,
            LIMITER_KEYS_ADDED,
            LIMITER_KEYS_FORGIVEN);

    private LimiterMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
