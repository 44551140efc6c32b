package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Bounded loads within strategies that do not ask them for each call, or for several sets at once. */
class NestedBoundsTest {
    private static final Endpoint<String> V1 = Endpoint.of("a").withLabel("version", "v1");
    private static final Endpoint<String> V2 = Endpoint.of("b").withLabel("version", "v2");

    private static List<String> take(LoadBalancer<String> nodes, int count) {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Ticket<String> ticket = nodes.forKey("key").pick();
            ids.add(ticket.endpoint().id());
        }
        return ids;
    }

    @Test
    void a_key_that_sticks_to_a_full_endpoint_stays_there() {
        BalancingStrategy sticky = BalancingStrategy.sticky(BalancingStrategy.boundedLoads(0.25), 1000);
        LoadBalancer<String> nodes = LoadBalancer.of("nodes", sticky, EndpointSource.of(List.of(V1, V2)));
        String home = take(nodes, 1).get(0);
        assertThat(take(nodes, 20)).containsOnly(home);
    }

    @Test
    void new_keys_avoid_an_endpoint_that_keys_which_stick_to_it_have_filled() {
        BalancingStrategy sticky = BalancingStrategy.sticky(BalancingStrategy.boundedLoads(0.25), 1000);
        LoadBalancer<String> nodes = LoadBalancer.of("nodes", sticky, EndpointSource.of(List.of(V1, V2)));
        String home = take(nodes, 20).get(0);
        for (int i = 0; i < 10; i++) {
            assertThat(nodes.forKey("new " + i).pick().endpoint().id()).isNotEqualTo(home);
        }
    }

    @Test
    void calls_of_a_group_are_bounded_by_the_group_after_a_time_without_any() {
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.split(split, BalancingStrategy.boundedLoads(0.25)),
                EndpointSource.of(List.of(V1, V2)));
        assertThat(take(nodes, 4)).containsOnly("a");
        split.setShares(Map.of("v3", 1.0)); // no group has a share, so all endpoints are used
        assertThat(take(nodes, 4)).contains("b");
        split.setShares(Map.of("v1", 1.0));
        assertThat(take(nodes, 20)).containsOnly("a");
        split.setShares(Map.of("v3", 1.0));
        assertThat(take(nodes, 8)).containsOnly("b");
    }

    @Test
    void a_place_that_was_granted_and_not_needed_is_none_for_a_later_call() {
        BalancingStrategy strategy = BalancingStrategy.boundedLoads(0.01).forBalancer(Environment.system());
        FakeCandidates plain = FakeCandidates.equal(2, 1);
        List<LoadTracker> trackers =
                List.of(strategy.newTracker(plain.endpoint(0)), strategy.newTracker(plain.endpoint(1)));
        BalancingStrategy.Picker picker = strategy.over(new TrackedCandidates(plain, trackers));
        int first = picker.pick(7);
        int other = 1 - first;
        assertThat(trackers.get(first).reserve()).isTrue();
        assertThat(trackers.get(first).reserve()).isTrue(); // 2 of 2 calls are within the bound, 3 of 3 are not
        assertThat(picker.pick(7, index -> index == first)).isEqualTo(first); // granted, though it is full
        assertThat(trackers.get(other).reserve()).isTrue(); // meanwhile it has room for 3 of 4
        assertThat(trackers.get(first).reserve()).isTrue();
        assertThat(trackers.get(first).reserve()).isFalse(); // 4 of 5 calls would be above the bound
    }
}
