package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.Operation;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Strategies that choose a group, nested in each other. */
class NestedStrategiesTest {
    private static final Map<String, UnaryOperator<BalancingStrategy>> OUTER = new LinkedHashMap<>();
    private static final List<BalancingStrategy> INNER = List.of(
            BalancingStrategy.roundRobin(),
            BalancingStrategy.weightedRoundRobin(),
            BalancingStrategy.leastTime(),
            BalancingStrategy.probing(),
            BalancingStrategy.consistentHash(),
            BalancingStrategy.boundedLoads(0.25),
            BalancingStrategy.sticky(),
            BalancingStrategy.weightedRandom());

    static {
        OUTER.put("priority", BalancingStrategy::priority);
        OUTER.put("zone", inner -> BalancingStrategy.zoneAware("z1", Map.of("z1", 3.0, "z2", 1.0), 1, inner));
        OUTER.put("foreign zone", inner -> BalancingStrategy.zoneAware("z9", Map.of("z1", 1.0), 1, inner));
        OUTER.put("subset", inner -> BalancingStrategy.subset(1, 4, 3, inner));
        OUTER.put(
                "split",
                inner -> BalancingStrategy.split(TrafficSplit.of("v", Map.of("1", 0.5, "2", 0.4, "", 0.1)), inner));
        OUTER.put(
                "sticky split",
                inner -> BalancingStrategy.split(TrafficSplit.byKey("v", Map.of("1", 0.5, "2", 0.5, "", 0.1)), inner));
    }

    private static List<Endpoint<String>> endpoints(int size, boolean labelled) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            Endpoint<String> endpoint = Endpoint.of(Balancers.id(i));
            if (labelled) {
                endpoint = endpoint.withPriority(i % 2).withZone("z" + i % 3).withLabel("v", "" + (1 + i % 2));
            }
            endpoints.add(endpoint);
        }
        return endpoints;
    }

    @Test
    void a_call_reaches_every_endpoint_before_one_comes_again() throws Exception {
        for (Map.Entry<String, UnaryOperator<BalancingStrategy>> first : OUTER.entrySet()) {
            for (Map.Entry<String, UnaryOperator<BalancingStrategy>> second : OUTER.entrySet()) {
                for (BalancingStrategy inner : INNER) {
                    for (int size : new int[] {1, 2, 9}) {
                        for (boolean labelled : new boolean[] {false, true}) {
                            BalancingStrategy strategy =
                                    first.getValue().apply(second.getValue().apply(inner));
                            String text = first.getKey() + " of " + strategy + " over " + size + labelled;
                            Balancers nodes = Balancers.over(strategy, endpoints(size, labelled), Balancers.seeded(3));
                            Operation<String, RuntimeException> operation =
                                    nodes.balancer.forKey("key").operation(address -> address);
                            Set<String> seen = new HashSet<>();
                            for (int i = 0; i < size; i++) {
                                seen.add(operation.run());
                            }
                            assertThat(seen).as(text).hasSize(size);
                            assertThat(operation.run()).as(text).isNotNull();
                            assertThat(nodes.balancer.forKey("key").explain().toString())
                                    .isNotEmpty();
                            assertThat(nodes.inFlight()).as(text).isZero();
                        }
                    }
                }
            }
        }
    }

    @Test
    void the_choice_of_a_group_says_nothing_about_the_one_inside() {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            endpoints.add(Endpoint.of(Balancers.id(i)).withPriority(i / 8).withZone("z" + i / 4 % 2));
        }
        // Half of priority 0 is healthy: it takes 70 %. Zone z0 keeps half of its calls in each priority.
        FakeCandidates candidates = FakeCandidates.of(
                1,
                endpoints,
                endpoint -> endpoint.priority() == 1 || endpoint.id().matches("e0[0145]"));
        BalancingStrategy zone =
                BalancingStrategy.zoneAware("z0", Map.of("z0", 1.0), 1, BalancingStrategy.consistentHash());
        BalancingStrategy.Picker picker = BalancingStrategy.priority(zone).over(candidates);
        assertThat(candidates.share(picker, 20_000, endpoint -> endpoint.priority() == 0))
                .isCloseTo(0.7, within(0.015));
        assertThat(candidates.share(
                        picker,
                        20_000,
                        endpoint -> endpoint.priority() == 0 && endpoint.zone().equals("z0")))
                .isCloseTo(0.35, within(0.015));
    }

    @Test
    void groups_of_the_same_names_in_two_splits_have_nothing_to_do_with_each_other() {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            endpoints.add(
                    Endpoint.of(Balancers.id(i)).withLabel("canary", "" + i % 2).withLabel("blue", "" + i / 2));
        }
        FakeCandidates candidates = FakeCandidates.of(1, endpoints, endpoint -> true);
        Map<String, Double> halves = Map.of("0", 0.5, "1", 0.5);
        BalancingStrategy.Picker picker = BalancingStrategy.split(
                        TrafficSplit.byKey("canary", halves),
                        BalancingStrategy.split(
                                TrafficSplit.byKey("blue", halves), BalancingStrategy.powerOfTwoChoices()))
                .over(candidates);
        for (int i = 0; i < 4; i++) {
            String id = Balancers.id(i);
            assertThat(candidates.share(
                            picker, 20_000, endpoint -> endpoint.id().equals(id)))
                    .as(id)
                    .isCloseTo(0.25, within(0.015));
        }
    }

    @Test
    void a_zone_that_was_not_named_spills_by_capacity() {
        List<Endpoint<String>> endpoints = endpoints(9, true);
        FakeCandidates candidates = FakeCandidates.of(1, endpoints, endpoint -> true);
        BalancingStrategy.Picker picker = BalancingStrategy.zoneAware(
                        "z9", Map.of("z0", 1.0, "z1", 1.0, "z2", 1.0), 1, BalancingStrategy.powerOfTwoChoices())
                .over(candidates);
        for (String zone : List.of("z0", "z1", "z2")) {
            assertThat(candidates.share(
                            picker, 20_000, endpoint -> endpoint.zone().equals(zone)))
                    .as(zone)
                    .isCloseTo(1 / 3.0, within(0.015));
        }
    }

    @Test
    void unhealthy_endpoints_of_another_priority_do_not_move_a_slice() {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            endpoints.add(Endpoint.of(Balancers.id(i)).withPriority(i % 4 == 0 ? 0 : 1));
        }
        BalancingStrategy strategy =
                BalancingStrategy.priority(BalancingStrategy.subset(2, 10, 4, BalancingStrategy.roundRobin()));
        List<Set<String>> slices = new ArrayList<>();
        for (boolean healthy : new boolean[] {true, false}) {
            FakeCandidates candidates =
                    FakeCandidates.of(1, endpoints, endpoint -> healthy || endpoint.priority() == 0);
            BalancingStrategy.Picker picker = strategy.over(candidates);
            Set<String> slice = new HashSet<>();
            for (int i = 0; i < 500; i++) {
                slice.add(candidates.endpoint(picker.pick(XxHash64.hash(i))).id());
            }
            slices.add(slice);
        }
        assertThat(slices.get(1)).isEqualTo(slices.get(0));
    }

    @Test
    void calls_that_their_zone_refuses_go_to_the_others_alike() {
        List<Endpoint<String>> endpoints = endpoints(9, true);
        FakeCandidates candidates = FakeCandidates.of(1, endpoints, endpoint -> true);
        for (BalancingStrategy inner :
                List.of(BalancingStrategy.powerOfTwoChoices(), BalancingStrategy.consistentHash())) {
            BalancingStrategy.Picker picker =
                    BalancingStrategy.zoneAware("z0", inner).over(candidates);
            int first = 0;
            for (int i = 0; i < 10_000; i++) {
                int index = picker.pick(
                        XxHash64.hash(i), at -> !candidates.endpoint(at).zone().equals("z0"));
                first += candidates.endpoint(index).zone().equals("z1") ? 1 : 0;
            }
            assertThat(first / 10_000.0).isCloseTo(0.5, within(0.05));
        }
    }

    @Test
    void groups_within_two_groups_take_turns_by_themselves() {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            endpoints.add(
                    Endpoint.of(Balancers.id(i)).withLabel("v", "" + i / 4).withLabel("w", "" + i / 2 % 2));
        }
        FakeCandidates candidates = FakeCandidates.of(1, endpoints, endpoint -> true);
        BalancingStrategy.Picker picker = BalancingStrategy.split(
                        TrafficSplit.byKey("v", Map.of("0", 0.5, "1", 0.5)),
                        BalancingStrategy.split(TrafficSplit.of("w", Map.of("0", 1.0)), BalancingStrategy.roundRobin()))
                .over(candidates);
        long[] keys = new long[2]; // of a call to each group
        for (long key = 0; key < 100; key++) {
            keys[picker.pick(key) / 4] = key;
        }
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            seen.add(picker.pick(keys[i % 2]));
        }
        assertThat(seen).containsExactlyInAnyOrder(0, 1, 4, 5);
    }

    @Test
    void what_an_inner_strategy_measures_is_seen() {
        List<BalancingStrategy> strategies = new ArrayList<>();
        OUTER.values().forEach(outer -> strategies.add(outer.apply(BalancingStrategy.probing())));
        strategies.add(BalancingStrategy.sticky(BalancingStrategy.probing(), 100));
        for (BalancingStrategy strategy : strategies) {
            Balancers nodes = Balancers.over(strategy, endpoints(9, true), Balancers.seeded(3));
            Set<String> metrics = new HashSet<>();
            nodes.balancer.measure((name, metric, value) -> metrics.add(metric));
            assertThat(metrics).as(strategy.toString()).contains("probing.answers");
        }
    }

    /** A picker that must get the time, and records it. */
    private record Timed(List<Long> times) implements BalancingStrategy.Picker {
        @Override
        public int pick(long hash) {
            throw new AssertionError("the time was not handed on");
        }

        @Override
        public int pick(long hash, long nowNanos) {
            times.add(nowNanos);
            return 0;
        }
    }

    @Test
    void an_inner_strategy_gets_the_time_that_the_balancer_has_read() {
        List<UnaryOperator<BalancingStrategy>> composites = new ArrayList<>(OUTER.values());
        composites.add(inner -> BalancingStrategy.sticky(inner, 100));
        for (UnaryOperator<BalancingStrategy> composite : composites) {
            List<Long> times = new ArrayList<>();
            BalancingStrategy strategy = composite.apply(candidates -> new Timed(times));
            strategy.over(FakeCandidates.of(1, endpoints(9, true), endpoint -> true))
                    .pick(7, 4711);
            assertThat(times).as(strategy.toString()).containsExactly(4711L);
        }
    }
}
