package dev.levee.loadbalancing;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of balancers and of their endpoints.
 *
 * @since 0.1
 */
public final class BalancerMetrics {
    /** Endpoints that are known. */
    public static final Metric BALANCER_ENDPOINTS = Metric.gauge("balancer.endpoints", "Endpoints that are known.");

    /** Endpoints that calls may be sent to. */
    public static final Metric BALANCER_CANDIDATES =
            Metric.gauge("balancer.candidates", "Endpoints that calls may be sent to.");

    /** Tickets that were not given back in time. */
    public static final Metric BALANCER_EXPIRED =
            Metric.counter("balancer.expired", "Tickets that were not given back in time.");

    /** Endpoints that were removed and still have calls in flight. */
    public static final Metric BALANCER_DRAINS =
            Metric.gauge("balancer.drains", "Endpoints that were removed and still have calls in flight.");

    /** Endpoints that are healthy. */
    public static final Metric BALANCER_HEALTHY = Metric.gauge("balancer.healthy", "Endpoints that are healthy.");

    /** Endpoints that are draining. */
    public static final Metric BALANCER_DRAINING = Metric.gauge("balancer.draining", "Endpoints that are draining.");

    /** Endpoints that fail their checks. */
    public static final Metric BALANCER_UNHEALTHY =
            Metric.gauge("balancer.unhealthy", "Endpoints that fail their checks.");

    /** Endpoints that are ejected. */
    public static final Metric BALANCER_EJECTED = Metric.gauge("balancer.ejected", "Endpoints that are ejected.");

    /** Endpoints that get a growing share. */
    public static final Metric BALANCER_WARMING =
            Metric.gauge("balancer.warming", "Endpoints that get a growing share.");

    /** 1 while health is disregarded because too few endpoints are healthy, else 0. */
    public static final Metric BALANCER_PANIC = Metric.gauge(
            "balancer.panic", "1 while health is disregarded because too few endpoints are healthy, else 0.");

    /** Endpoints that were ejected. */
    public static final Metric BALANCER_EJECTIONS =
            Metric.counter("balancer.ejections", "Endpoints that were ejected.");

    /** 1 while no endpoint is ejected because too many fail, else 0. */
    public static final Metric BALANCER_EJECTION_SUSPENDED = Metric.gauge(
            "balancer.ejection.suspended", "1 while no endpoint is ejected because too many fail, else 0.");

    /** Pauses of this process that were seen, and times it was too late for a call to count. */
    public static final Metric BALANCER_STALLS = Metric.counter(
            "balancer.stalls", "Pauses of this process that were seen, and times it was too late for a call to count.");

    /** 1 while gates of endpoints are passed because too many refuse, else 0. */
    public static final Metric BALANCER_GATES_PANIC = Metric.gauge(
            "balancer.gates.panic", "1 while gates of endpoints are passed because too many refuse, else 0.");

    /** Calls that passed the gate of an endpoint which would have refused. */
    public static final Metric BALANCER_GATES_PASSED = Metric.counter(
            "balancer.gates.passed", "Calls that passed the gate of an endpoint which would have refused.");

    /** Failures that did not count because this process stood still or was late. */
    public static final Metric BALANCER_GATES_EXCUSED = Metric.counter(
            "balancer.gates.excused", "Failures that did not count because this process stood still or was late.");

    /** Calls that an endpoint has. */
    public static final Metric ENDPOINT_IN_FLIGHT =
            Metric.gauge("endpoint.in.flight", "Calls that an endpoint has.", Metric.ENDPOINT);

    /** Calls that were sent to an endpoint. */
    public static final Metric ENDPOINT_PICKS =
            Metric.counter("endpoint.picks", "Calls that were sent to an endpoint.", Metric.ENDPOINT);

    private static final List<Metric> ALL = List.of(
            BALANCER_ENDPOINTS,
            BALANCER_CANDIDATES,
            BALANCER_EXPIRED,
            BALANCER_DRAINS,
            BALANCER_HEALTHY,
            BALANCER_DRAINING,
            BALANCER_UNHEALTHY,
            BALANCER_EJECTED,
            BALANCER_WARMING,
            BALANCER_PANIC,
            BALANCER_EJECTIONS,
            BALANCER_EJECTION_SUSPENDED,
            BALANCER_STALLS,
            BALANCER_GATES_PANIC,
            BALANCER_GATES_PASSED,
            BALANCER_GATES_EXCUSED,
            ENDPOINT_IN_FLIGHT,
            ENDPOINT_PICKS);

    private BalancerMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
