package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.Policy;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Publishes the health of the endpoints: changes to the listener, figures to a sink. {@link #publish} is called one at
 * a time, {@link #measure} by any thread.
 */
final class HealthReport {
    private static final Map<HealthState, Metric> STATES = new EnumMap<>(Map.of(
            HealthState.DRAINING, BalancerMetrics.BALANCER_DRAINING,
            HealthState.UNHEALTHY, BalancerMetrics.BALANCER_UNHEALTHY,
            HealthState.EJECTED, BalancerMetrics.BALANCER_EJECTED,
            HealthState.WARMING, BalancerMetrics.BALANCER_WARMING,
            HealthState.HEALTHY, BalancerMetrics.BALANCER_HEALTHY));

    private final String balancer;
    private final Environment environment;
    private final Ejections ejections;
    private final PauseDetector pauses;
    private volatile boolean publishedPanic;
    private boolean publishedSuspended;

    HealthReport(String balancer, Environment environment, Ejections ejections, PauseDetector pauses) {
        this.balancer = balancer;
        this.environment = environment;
        this.ejections = ejections;
        this.pauses = pauses;
    }

    /** Notifies the listener of each change since the last call. */
    void publish(List<NodeHealth> nodes, boolean panic) {
        for (NodeHealth node : nodes) {
            HealthState to = node.health.state();
            if (to != node.published) {
                HealthState from = node.published;
                node.published = to;
                environment
                        .listener()
                        .onStateChange(Policy.Kind.BALANCER, balancer + "/" + node.label, from.name(), to.name());
            }
        }
        if (panic != publishedPanic) {
            publishedPanic = panic;
            change(balancer, "NORMAL", "PANIC", panic);
        }
        boolean suspended = ejections.isSuspended();
        if (suspended != publishedSuspended) {
            publishedSuspended = suspended;
            change(balancer + "/ejection", "ON", "SUSPENDED", suspended);
        }
    }

    private void change(String policy, String normal, String exceptional, boolean begins) {
        environment
                .listener()
                .onStateChange(
                        Policy.Kind.BALANCER, policy, begins ? normal : exceptional, begins ? exceptional : normal);
    }

    void measure(Measured.Sink sink, List<NodeHealth> nodes) {
        STATES.forEach((state, metric) -> {
            int count = 0;
            for (NodeHealth node : nodes) {
                count += node.health.state() == state ? 1 : 0;
            }
            sink.value(balancer, metric, count);
        });
        sink.value(balancer, BalancerMetrics.BALANCER_PANIC, publishedPanic ? 1.0 : 0.0);
        sink.value(balancer, BalancerMetrics.BALANCER_EJECTIONS, (double) ejections.count());
        sink.value(balancer, BalancerMetrics.BALANCER_EJECTION_SUSPENDED, ejections.isSuspended() ? 1.0 : 0.0);
        sink.value(balancer, BalancerMetrics.BALANCER_STALLS, (double) pauses.count());
    }
}
