package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Publishes the health of the endpoints: changes to the listener, figures to a sink. {@link #publish} is called one at
 * a time, {@link #measure} by any thread.
 */
final class HealthReport {
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
                        .onStateChange(Policy.Kind.BALANCER, balancer + "/" + node.id, from.name(), to.name());
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
        Map<HealthState, Integer> counts = new EnumMap<>(HealthState.class);
        for (NodeHealth node : nodes) {
            counts.merge(node.health.state(), 1, Integer::sum);
        }
        for (HealthState state : HealthState.values()) {
            String metric = "balancer." + state.name().toLowerCase(Locale.ROOT);
            sink.value(balancer, metric, counts.getOrDefault(state, 0));
        }
        sink.value(balancer, "balancer.panic", publishedPanic ? 1.0 : 0.0);
        sink.value(balancer, "balancer.ejections", (double) ejections.count());
        sink.value(balancer, "balancer.ejection.suspended", ejections.isSuspended() ? 1.0 : 0.0);
        sink.value(balancer, "balancer.stalls", (double) pauses.count());
    }
}
