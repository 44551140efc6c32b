package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** A balancer over endpoints whose addresses are their ids, with a {@link FakeGate} for each. */
public final class Balancers {
    public final Map<String, FakeGate> gates = new ConcurrentHashMap<>();
    public final List<FakeGate> everyGate = new ArrayList<>();
    public final UpdatableEndpoints<String> source;
    public final LoadBalancer<String> balancer;

    private Balancers(BalancingStrategy strategy, List<Endpoint<String>> endpoints, Environment environment) {
        source = EndpointSource.updatable(endpoints);
        balancer = LoadBalancer.of(
                "nodes",
                strategy,
                source,
                config -> config.gatePerEndpoint(endpoint -> newGate(endpoint, environment))
                        .totals(true),
                environment);
    }

    private FakeGate newGate(Endpoint<String> endpoint, Environment environment) {
        FakeGate gate = new FakeGate(endpoint.id(), environment);
        gates.put(endpoint.id(), gate);
        everyGate.add(gate);
        return gate;
    }

    public static Balancers over(BalancingStrategy strategy, int size) {
        return over(strategy, endpoints(size), seeded(1));
    }

    public static Balancers over(
            BalancingStrategy strategy, List<Endpoint<String>> endpoints, Environment environment) {
        return new Balancers(strategy, endpoints, environment);
    }

    public static Environment seeded(long seed) {
        return new ManualTime()
                .environment().toBuilder().random(new Random(seed)).build();
    }

    /** Ids e00, e01 and so on, of weight 1. */
    public static List<Endpoint<String>> endpoints(int size) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(Endpoint.of(id(i)));
        }
        return endpoints;
    }

    public static String id(int index) {
        return String.format("e%02d", index);
    }

    public void shut(int... indices) {
        for (int index : indices) {
            gates.get(id(index)).shut = true;
        }
    }

    public void open(int... indices) {
        for (int index : indices) {
            gates.get(id(index)).shut = false;
        }
    }

    public int inFlight() {
        return balancer.snapshot().stream().mapToInt(EndpointState::inFlight).sum();
    }

    public boolean gatesAreSettled() {
        return everyGate.stream().allMatch(FakeGate::isSettled);
    }

    /** How many of N calls, each with a key of its own, go to each endpoint. */
    public Map<String, Integer> spread(int calls) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < calls; i++) {
            counts.merge(balancer.call("key " + i, address -> address), 1, Integer::sum);
        }
        return counts;
    }
}
