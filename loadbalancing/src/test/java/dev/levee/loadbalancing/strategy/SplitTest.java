package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SplitTest {
    private static List<Endpoint<String>> endpoints(String... versions) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (String version : versions) {
            Endpoint<String> endpoint = Endpoint.of("e" + endpoints.size());
            endpoints.add(version.isEmpty() ? endpoint : endpoint.withLabel("version", version));
        }
        return endpoints;
    }

    private static FakeCandidates candidates(String... versions) {
        return FakeCandidates.of(1, endpoints(versions), endpoint -> true);
    }

    private static String version(Endpoint<?> endpoint) {
        return endpoint.labels().getOrDefault("version", "");
    }

    private static BalancingStrategy.Picker picker(TrafficSplit split, FakeCandidates candidates) {
        return BalancingStrategy.split(split, BalancingStrategy.powerOfTwoChoices())
                .over(candidates);
    }

    private static double share(BalancingStrategy.Picker picker, FakeCandidates candidates, String version) {
        return candidates.share(picker, 20_000, endpoint -> version(endpoint).equals(version));
    }

    @Test
    void each_group_gets_its_share_however_many_endpoints_it_has() {
        FakeCandidates candidates = candidates("v1", "v1", "v1", "v2");
        BalancingStrategy.Picker picker = picker(TrafficSplit.of("version", Map.of("v1", 0.5, "v2", 0.5)), candidates);
        assertThat(share(picker, candidates, "v2")).isCloseTo(0.5, within(0.015));
    }

    @Test
    void shares_are_moved_while_calls_are_made() {
        for (boolean sticky : new boolean[] {false, true}) {
            Map<String, Double> start = Map.of("v1", 95.0, "v2", 5.0);
            TrafficSplit split = sticky ? TrafficSplit.byKey("version", start) : TrafficSplit.of("version", start);
            FakeCandidates candidates = candidates("v1", "v1", "v2", "v2");
            BalancingStrategy.Picker picker = picker(split, candidates);
            assertThat(share(picker, candidates, "v2")).isCloseTo(0.05, within(0.007));
            split.setShares(Map.of("v1", 1.0, "v2", 3.0));
            assertThat(split.shares()).isEqualTo(Map.of("v1", 0.25, "v2", 0.75));
            assertThat(share(picker, candidates, "v2")).isCloseTo(0.75, within(0.015));
            split.setShares(Map.of("v2", 1.0));
            assertThat(share(picker, candidates, "v2")).isEqualTo(1);
        }
    }

    @Test
    void groups_that_are_gone_are_forgotten() {
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        GroupingStrategy inner = (GroupingStrategy) BalancingStrategy.split(split, BalancingStrategy.roundRobin());
        GroupingStrategy outer = (GroupingStrategy) BalancingStrategy.split(split, inner);
        for (int i = 0; i < 20_000; i++) {
            outer.over(candidates("v1", "v" + i, "old", "old"));
            assertThat(outer.remembered()).isLessThanOrEqualTo(8);
            assertThat(inner.remembered()).isLessThanOrEqualTo(16);
        }
    }

    @Test
    void a_group_that_stays_goes_on_with_its_turns_whatever_else_comes_and_goes() {
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        BalancingStrategy strategy = BalancingStrategy.split(split, BalancingStrategy.roundRobin());
        FakeCandidates first = candidates("v1", "v1", "v1", "old");
        int before = strategy.over(first).pick(0);
        for (int i = 0; i < 30; i++) {
            FakeCandidates next = candidates("v1", "v1", "v1", "new" + i);
            int picked = strategy.over(next).pick(0);
            assertThat(picked).isEqualTo((before + 1) % 3);
            before = picked;
        }
    }

    @Test
    void calls_in_flight_are_counted_by_endpoint_and_survive_any_number_of_changes() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(endpoints("v1", "v2"));
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        LoadBalancer<String> nodes =
                LoadBalancer.of("nodes", BalancingStrategy.split(split, BalancingStrategy.leastConnections()), source);
        Ticket<String> open = nodes.pick();
        for (int i = 0; i < 1_000; i++) {
            source.set(endpoints("v1", "v" + i));
        }
        assertThat(nodes.snapshot().get(0).inFlight()).isEqualTo(1);
        open.close();
        assertThat(nodes.snapshot().get(0).inFlight()).isZero();
    }

    @Test
    void an_empty_group_gives_its_share_to_the_others_in_proportion() {
        FakeCandidates candidates = candidates("v1", "v2", "v2");
        BalancingStrategy.Picker picker =
                picker(TrafficSplit.of("version", Map.of("v1", 0.3, "v2", 0.2, "v3", 0.5)), candidates);
        assertThat(share(picker, candidates, "v1")).isCloseTo(0.6, within(0.015));
    }

    @Test
    void a_group_without_a_share_gets_nothing_not_even_what_others_refuse() {
        FakeCandidates candidates = candidates("v1", "v2", "", "v1");
        BalancingStrategy.Picker picker = picker(TrafficSplit.of("version", Map.of("v1", 1.0, "v2", 0.0)), candidates);
        assertThat(share(picker, candidates, "v1")).isEqualTo(1);
        assertThat(picker.pick(0, index -> index == 3)).isEqualTo(3);
        assertThat(picker.pick(0, index -> index == 1 || index == 2)).isEqualTo(-1);
    }

    @Test
    void what_a_group_refuses_goes_to_another_that_has_a_share() {
        FakeCandidates candidates = candidates("v1", "v2");
        BalancingStrategy.Picker picker = picker(TrafficSplit.of("version", Map.of("v1", 0.9, "v2", 0.1)), candidates);
        for (int i = 0; i < 50; i++) {
            assertThat(picker.pick(i, index -> index == 1)).isEqualTo(1);
        }
    }

    @Test
    void if_no_group_with_a_share_has_endpoints_all_are_used() {
        FakeCandidates candidates = candidates("v3", "", "v4", "v4");
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        BalancingStrategy.Picker picker = picker(split, candidates);
        assertThat(share(picker, candidates, "v4")).isCloseTo(0.5, within(0.015));
        assertThat(picker.explain(0, index -> true).reason()).startsWith("no group with a share has endpoints, so all");
        split.setShares(Map.of("", 1.0));
        assertThat(share(picker, candidates, "")).isEqualTo(1);
    }

    @Test
    void a_user_stays_on_one_side_while_the_share_grows_and_never_goes_back() {
        TrafficSplit split = TrafficSplit.byKey("version", Map.of("v1", 1.0));
        FakeCandidates candidates = candidates("v1", "v1", "v2", "v2");
        BalancingStrategy.Picker picker = picker(split, candidates);
        boolean[] moved = new boolean[2_000];
        for (int percent = 0; percent <= 100; percent += 5) {
            split.setShares(Map.of("v1", 100.0 - percent, "v2", (double) percent));
            int there = 0;
            for (int user = 0; user < moved.length; user++) {
                boolean second = version(candidates.endpoint(picker.pick(XxHash64.hash("user " + user))))
                        .equals("v2");
                assertThat(second || !moved[user]).isTrue();
                moved[user] = second;
                there += second ? 1 : 0;
            }
            assertThat(there / 2_000.0).isCloseTo(percent / 100.0, within(0.04));
        }
    }

    @Property(tries = 100)
    void a_key_changes_its_group_only_to_one_whose_share_grew_in_relation(
            @ForAll @Size(value = 4) List<@DoubleRange(min = 0, max = 10) Double> before,
            @ForAll @Size(value = 4) List<@DoubleRange(min = 0, max = 10) Double> after) {
        if (before.stream().allMatch(share -> share == 0) || after.stream().allMatch(share -> share == 0)) {
            return;
        }
        TrafficSplit split = TrafficSplit.byKey("version", shares(before));
        FakeCandidates candidates = candidates("v0", "v1", "v2", "v3");
        BalancingStrategy.Picker picker = picker(split, candidates);
        int[] first = new int[200];
        for (int key = 0; key < first.length; key++) {
            first[key] = picker.pick(XxHash64.hash(key));
        }
        split.setShares(shares(after));
        for (int key = 0; key < first.length; key++) {
            int from = first[key];
            int to = picker.pick(XxHash64.hash(key));
            if (from != to) {
                assertThat(after.get(to) * before.get(from) * (1 + 1e-9))
                        .isGreaterThanOrEqualTo(after.get(from) * before.get(to));
            }
        }
    }

    private static Map<String, Double> shares(List<Double> numbers) {
        Map<String, Double> shares = new HashMap<>();
        for (int i = 0; i < numbers.size(); i++) {
            shares.put("v" + i, numbers.get(i));
        }
        return shares;
    }

    @Test
    void one_handle_moves_all_balancers_and_says_why() {
        TrafficSplit split = TrafficSplit.byKey("version", Map.of("v1", 1.0));
        BalancingStrategy strategy = BalancingStrategy.split(split, BalancingStrategy.roundRobin());
        Balancers one = Balancers.over(strategy, endpoints("v1", "v2"), Balancers.seeded(1));
        Balancers two = Balancers.over(strategy, endpoints("v1", "v2"), Balancers.seeded(2));
        assertThat(one.spread(50)).containsOnlyKeys("e0");
        split.setShares(Map.of("v2", 2.0));
        assertThat(one.spread(50)).containsOnlyKeys("e1");
        assertThat(two.spread(50)).containsOnlyKeys("e1");
        assertThat(one.balancer.forKey("ann").explain().reason())
                .isEqualTo("split by version {v2=1.0}(round robin): version v2 takes 100 % of the calls, by key;"
                        + " its turn, one of 1");
    }

    @Test
    void wrong_shares_are_refused_and_change_nothing() {
        TrafficSplit split = TrafficSplit.of("version", Map.of("v1", 1.0));
        assertThatThrownBy(() -> split.setShares(Map.of("v1", -0.1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("shares of v1 must be from 0 to 1.0E12, but was -0.1");
        assertThatThrownBy(() -> split.setShares(Map.of("v1", Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> split.setShares(Map.of("v1", 0.0))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TrafficSplit.of("", Map.of("v1", 1.0))).isInstanceOf(IllegalArgumentException.class);
        assertThat(split.shares()).isEqualTo(Map.of("v1", 1.0));
        assertThat(split.label()).isEqualTo("version");
    }
}
