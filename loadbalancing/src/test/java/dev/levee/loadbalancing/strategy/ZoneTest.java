package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ZoneTest {
    private static BalancingStrategy from(String zone) {
        return BalancingStrategy.zoneAware(zone, BalancingStrategy.powerOfTwoChoices());
    }

    private static List<Endpoint<String>> endpoints(int a, int b, int c) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        int[] sizes = {a, b, c};
        for (int zone = 0; zone < 3; zone++) {
            for (int i = 0; i < sizes[zone]; i++) {
                String name = "abc".substring(zone, zone + 1);
                endpoints.add(Endpoint.of(name + i).withZone(name));
            }
        }
        return endpoints;
    }

    private static double share(BalancingStrategy strategy, FakeCandidates candidates, String zone) {
        return candidates.share(
                strategy.over(candidates), 20_000, endpoint -> endpoint.zone().equals(zone));
    }

    @Test
    void equal_zones_keep_their_calls() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(4, 4, 4), endpoint -> true);
        assertThat(share(from("a"), candidates, "a")).isEqualTo(1);
        assertThat(share(from("b"), candidates, "b")).isEqualTo(1);
    }

    @Test
    void a_zone_of_which_half_is_unhealthy_keeps_what_it_can_carry() {
        FakeCandidates candidates = FakeCandidates.of(
                1, endpoints(4, 4, 4), endpoint -> !List.of("a0", "a1").contains(endpoint.id()));
        // 20 % of the capacity for a third of the calls: 60 % of its own.
        assertThat(share(from("a"), candidates, "a")).isCloseTo(0.6, within(0.015));
        assertThat(share(from("a"), candidates, "b")).isCloseTo(0.2, within(0.015));
        assertThat(share(from("b"), candidates, "b")).isEqualTo(1);
    }

    @Test
    void what_is_spilled_goes_where_there_is_room() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(1, 3, 8), endpoint -> true);
        // a has 1/12 for 1/3; b has 1/4 for 1/3, so it has no room either; c has it all.
        assertThat(share(from("a"), candidates, "a")).isCloseTo(0.25, within(0.015));
        assertThat(share(from("a"), candidates, "b")).isZero();
        assertThat(share(from("a"), candidates, "c")).isCloseTo(0.75, within(0.015));
    }

    @Test
    void a_zone_without_endpoints_spills_everything() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(0, 4, 4), endpoint -> true);
        assertThat(share(from("a"), candidates, "b")).isCloseTo(0.5, within(0.015));
        FakeCandidates down = FakeCandidates.of(
                1, endpoints(4, 4, 4), endpoint -> !endpoint.zone().equals("a"));
        assertThat(share(from("a"), down, "b")).isCloseTo(0.5, within(0.015));
    }

    @Test
    void it_is_known_where_calls_come_from() {
        BalancingStrategy strategy =
                BalancingStrategy.zoneAware("a", Map.of("a", 3.0, "b", 1.0), 1, BalancingStrategy.powerOfTwoChoices());
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(2, 2, 0), endpoint -> true);
        assertThat(share(strategy, candidates, "a")).isCloseTo(2 / 3.0, within(0.015));
    }

    @Test
    void with_few_endpoints_zones_are_ignored() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(1, 2, 2), endpoint -> true);
        assertThat(share(from("a"), candidates, "a")).isCloseTo(0.2, within(0.015));
    }

    @Test
    void a_zone_that_only_warms_up_counts_as_far_as_it_is_warm() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(4, 4, 4), endpoint -> true);
        for (int i = 0; i < 4; i++) {
            candidates.ramps[i] = 0.5;
        }
        assertThat(share(from("a"), candidates, "a")).isCloseTo(0.6, within(0.015));
    }

    @Test
    void what_the_own_zone_refuses_goes_to_the_others() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(4, 4, 4), endpoint -> true);
        BalancingStrategy.Picker picker = from("a").over(candidates);
        assertThat(picker.pick(0, index -> index > 3)).isBetween(4, 11);
        assertThat(picker.pick(0, index -> index == 2)).isEqualTo(2);
        assertThat(picker.pick(0, index -> false)).isEqualTo(-1);
    }

    /** The calls of all zones together, if each zone goes by the rule. */
    @Property
    void no_zone_gets_more_than_its_part_of_the_capacity_and_none_sends_away_what_it_could_carry(
            @ForAll @Size(min = 2, max = 6) List<@DoubleRange(max = 10) Double> capacities,
            @ForAll @Size(min = 6, max = 6) List<@DoubleRange(min = 0.1, max = 10) Double> demands) {
        int zones = capacities.size();
        double allCapacity =
                capacities.stream().mapToDouble(Double::doubleValue).sum();
        double allDemand = demands.subList(0, zones).stream()
                .mapToDouble(Double::doubleValue)
                .sum();
        if (allCapacity == 0) {
            return;
        }
        double[] got = new double[zones];
        for (int own = 0; own < zones; own++) {
            double[] capacity = new double[zones];
            double[] demand = new double[zones];
            for (int i = 0; i < zones; i++) {
                int zone = i == 0 ? own : i <= own ? i - 1 : i;
                capacity[i] = capacities.get(zone) / allCapacity;
                demand[i] = demands.get(zone) / allDemand;
            }
            double[] shares = ZoneStrategy.shares(capacity, demand);
            double sum = 0;
            for (int i = 0; i < zones; i++) {
                got[i == 0 ? own : i <= own ? i - 1 : i] += shares[i] * demand[0];
                sum += shares[i];
            }
            assertThat(sum).isCloseTo(1, within(1e-9));
            assertThat(shares[0] * demand[0]).isCloseTo(Math.min(capacity[0], demand[0]), within(1e-9));
        }
        for (int zone = 0; zone < zones; zone++) {
            assertThat(got[zone]).isCloseTo(capacities.get(zone) / allCapacity, within(1e-9));
        }
    }

    @Test
    void the_explanation_gives_the_shares() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(4, 4, 4), endpoint -> true);
        assertThat(from("a").over(candidates).explain(0, index -> true).reason())
                .matches("own zone a takes 100 % of the calls, since it has 33.3 % of the capacity"
                        + " for 33.3 % of all calls; a\\d has 0 in flight, against a\\d has 0 in flight");
    }

    @Test
    void wrong_arguments_are_refused() {
        BalancingStrategy inner = BalancingStrategy.random();
        assertThatThrownBy(() -> BalancingStrategy.zoneAware(" ", inner)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BalancingStrategy.zoneAware("a", Map.of("a", -1.0), 6, inner))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("clients of a must be from 0 to 1.0E12, but was -1.0");
        assertThatThrownBy(() -> BalancingStrategy.zoneAware("a", Map.of("a", Double.NaN), 6, inner))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BalancingStrategy.zoneAware("a", Map.of(), 6, inner))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("clients must have a sum of more than 0, but were {}");
        assertThatThrownBy(() -> BalancingStrategy.zoneAware("a", Map.of("a", 1.0), 0, inner))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
