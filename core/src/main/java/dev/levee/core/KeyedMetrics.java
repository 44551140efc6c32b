package dev.levee.core;

import java.util.List;

/**
 * The metrics of {@link Keyed} objects.
 *
 * @since 0.1
 */
public final class KeyedMetrics {
    /** Keys that have a policy now. */
    public static final Metric KEYED_SIZE = Metric.gauge("keyed.size", "Keys that have a policy now.");

    /** Policies that were evicted, because their key was idle or there was no room. */
    public static final Metric KEYED_EVICTIONS = Metric.counter(
            "keyed.evictions", "Policies that were evicted, because their key was idle or there was no room.");

    /** Keys whose own figures are not reported, because those of others are already. */
    public static final Metric KEYED_UNMEASURED = Metric.gauge(
            "keyed.unmeasured", "Keys whose own figures are not reported, because those of others are already.");

    private static final List<Metric> ALL = List.of(KEYED_SIZE, KEYED_EVICTIONS, KEYED_UNMEASURED);

    private KeyedMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
