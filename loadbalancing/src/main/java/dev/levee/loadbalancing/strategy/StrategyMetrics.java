package dev.levee.loadbalancing.strategy;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of strategies that have some, and of the load that a server reports.
 *
 * @since 0.1
 */
public final class StrategyMetrics {
    /** Calls that this server has. */
    public static final Metric SERVER_IN_FLIGHT = Metric.gauge("server.in.flight", "Calls that this server has.");

    /** Time that a call takes at the present number in flight. */
    public static final Metric SERVER_LATENCY = Metric.gauge(
            "server.latency", Metric.Unit.NANOSECONDS, "Time that a call takes at the present number in flight.");

    /** Probes that were sent. */
    public static final Metric PROBING_SENT = Metric.counter("probing.sent", "Probes that were sent.");

    /** Probes that failed. */
    public static final Metric PROBING_FAILED = Metric.counter("probing.failed", "Probes that failed.");

    /** Probes without an answer yet. */
    public static final Metric PROBING_IN_FLIGHT = Metric.gauge("probing.in.flight", "Probes without an answer yet.");

    /** Answers that are fresh enough to be used. */
    public static final Metric PROBING_ANSWERS =
            Metric.gauge("probing.answers", "Answers that are fresh enough to be used.");

    /** Calls in flight above which a server counts as hot. */
    public static final Metric PROBING_HOT_ABOVE =
            Metric.gauge("probing.hot.above", "Calls in flight above which a server counts as hot.");

    private static final List<Metric> ALL = List.of(
            SERVER_IN_FLIGHT,
            SERVER_LATENCY,
            PROBING_SENT,
            PROBING_FAILED,
            PROBING_IN_FLIGHT,
            PROBING_ANSWERS,
            PROBING_HOT_ABOVE);

    private StrategyMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
