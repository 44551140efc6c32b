package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** A balancer that watches health, in manual time, with a failure rate for each endpoint. */
public final class Watched {
    public final ManualTime time;
    public final RecordingListener listener = new RecordingListener();
    public final UpdatableEndpoints<String> source;
    public final LoadBalancer<String> balancer;
    private final Map<String, Double> failing = new HashMap<>();
    private final java.util.Random random = new java.util.Random(7);

    public Watched(int size, Consumer<HealthConfig.Builder<String>> health) {
        this(Balancers.endpoints(size), health);
    }

    public Watched(List<Endpoint<String>> endpoints, Consumer<HealthConfig.Builder<String>> health) {
        this(new ManualTime(), endpoints, config -> config.health(health));
    }

    public Watched(
            ManualTime time, List<Endpoint<String>> endpoints, Consumer<LoadBalancerConfig.Builder<String>> configure) {
        this.time = time;
        Environment environment =
                time.environment().toBuilder().listener(listener).build();
        source = EndpointSource.updatable(endpoints);
        balancer = LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), source, configure, environment);
    }

    public void fail(double rate, int... indices) {
        for (int index : indices) {
            failing.put(Balancers.id(index), rate);
        }
    }

    /** Calls, some of which fail as their endpoint does; what follows from them has happened. */
    public void calls(int count) {
        for (int i = 0; i < count; i++) {
            Ticket<String> ticket = balancer.pick();
            double rate = failing.getOrDefault(ticket.endpoint().id(), 0.0);
            ticket.complete(random.nextDouble() < rate ? Verdict.FAILURE : Verdict.SUCCESS);
        }
        time.runReady();
    }

    /** Where N calls go. */
    public Set<String> targets(int count) {
        Set<String> targets = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            try (Ticket<String> ticket = balancer.pick()) {
                targets.add(ticket.endpoint().id());
            }
        }
        return targets;
    }

    public List<String> in(HealthState state) {
        List<String> ids = new ArrayList<>();
        for (EndpointState<String> endpoint : balancer.snapshot()) {
            if (endpoint.state() == state) {
                ids.add(endpoint.endpoint().id());
            }
        }
        return ids;
    }

    public List<String> ejected() {
        return in(HealthState.EJECTED);
    }

    public EndpointState<String> state(int index) {
        return balancer.snapshot().stream()
                .filter(state -> state.endpoint().id().equals(Balancers.id(index)))
                .findFirst()
                .orElseThrow();
    }

    public double measured(String metric) {
        Map<String, Double> figures = new HashMap<>();
        balancer.measure((policy, name, value) -> figures.put(policy + " " + name, value));
        return figures.get("nodes " + metric);
    }
}
