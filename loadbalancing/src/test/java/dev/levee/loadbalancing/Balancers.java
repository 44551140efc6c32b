package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** A balancer over endpoints whose addresses are their ids, with a {@link FakeGate} for each. */
final class Balancers {
    final Map<String, FakeGate> gates = new ConcurrentHashMap<>();
    final List<FakeGate> everyGate = new ArrayList<>();
    final UpdatableEndpoints<String> source;
    final LoadBalancer<String> balancer;

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

    static Balancers over(BalancingStrategy strategy, int size) {
        return over(strategy, endpoints(size), seeded(1));
    }

    static Balancers over(BalancingStrategy strategy, List<Endpoint<String>> endpoints, Environment environment) {
        return new Balancers(strategy, endpoints, environment);
    }

    static Environment seeded(long seed) {
        return new ManualTime()
                .environment().toBuilder().random(new Random(seed)).build();
    }

    /** Ids e00, e01 and so on, of weight 1. */
    static List<Endpoint<String>> endpoints(int size) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(Endpoint.of(id(i)));
        }
        return endpoints;
    }

    static String id(int index) {
        return String.format("e%02d", index);
    }

    void shut(int... indices) {
        for (int index : indices) {
            gates.get(id(index)).shut = true;
        }
    }

    void open(int... indices) {
        for (int index : indices) {
            gates.get(id(index)).shut = false;
        }
    }

    int inFlight() {
        return balancer.snapshot().stream().mapToInt(EndpointState::inFlight).sum();
    }

    boolean gatesAreSettled() {
        return everyGate.stream().allMatch(FakeGate::isSettled);
    }

    /** How many of so many calls, each with a key of its own, go to each endpoint. */
    Map<String, Integer> spread(int calls) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < calls; i++) {
            counts.merge(balancer.call("key " + i, address -> address), 1, Integer::sum);
        }
        return counts;
    }
}
