package dev.levee.jdbc.routing;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of a {@link RoutingDataSource}. Those of the balancer over its replicas have the same name.
 *
 * @since 0.1
 */
public final class RoutingMetrics {
    /** Whether writes go to the node: 1 or 0. */
    public static final Metric ROUTING_PRIMARY =
            Metric.gauge("routing.primary", "Whether writes go to the node: 1 or 0.", Metric.ENDPOINT);

    /** Whether reads may go to the node as to a replica: 1 or 0. */
    public static final Metric ROUTING_READABLE = Metric.gauge(
            "routing.readable", "Whether reads may go to the node as to a replica: 1 or 0.", Metric.ENDPOINT);

    /** How far a replica was behind at the last look; missing while it is not known. */
    public static final Metric ROUTING_LAG = Metric.gauge(
            "routing.lag",
            Metric.Unit.NANOSECONDS,
            "How far a replica was behind at the last look; missing while it is not known.",
            Metric.ENDPOINT);

    /** Physical connections that were taken from the node. */
    public static final Metric ROUTING_PICKS =
            Metric.counter("routing.picks", "Physical connections that were taken from the node.", Metric.ENDPOINT);

    /** Probes of the node that failed or timed out. */
    public static final Metric ROUTING_PROBE_FAILURES =
            Metric.counter("routing.probe.failures", "Probes of the node that failed or timed out.", Metric.ENDPOINT);

    /** Reads that waited for a replica to catch up. */
    public static final Metric ROUTING_WAITS =
            Metric.counter("routing.waits", "Reads that waited for a replica to catch up.");

    /** Reads that went to the primary because no replica could give what they asked for. */
    public static final Metric ROUTING_FALLBACKS = Metric.counter(
            "routing.fallbacks", "Reads that went to the primary because no replica could give what they asked for.");

    /** How often another node, or none, became the primary. */
    public static final Metric ROUTING_MOVES =
            Metric.counter("routing.moves", "How often another node, or none, became the primary.");

    /** Work that was refused because no node was known to be the primary. */
    public static final Metric ROUTING_REFUSED =
            Metric.counter("routing.refused", "Work that was refused because no node was known to be the primary.");

    private static final List<Metric> ALL = List.of(
            ROUTING_PRIMARY,
            ROUTING_READABLE,
            ROUTING_LAG,
            ROUTING_PICKS,
            ROUTING_PROBE_FAILURES,
            ROUTING_WAITS,
            ROUTING_FALLBACKS,
            ROUTING_MOVES,
            ROUTING_REFUSED);

    private RoutingMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
