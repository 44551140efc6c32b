package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class PriorityTest {
    private static final BalancingStrategy STRATEGY = BalancingStrategy.priority(BalancingStrategy.roundRobin());

    private static List<Endpoint<Integer>> endpoints(int... perPriority) {
        List<Endpoint<Integer>> endpoints = new ArrayList<>();
        for (int priority = 0; priority < perPriority.length; priority++) {
            for (int i = 0; i < perPriority[priority]; i++) {
                endpoints.add(Endpoint.of(priority * 100 + i).withPriority(priority));
            }
        }
        return endpoints;
    }

    private static void assertLoads(double[] healthy, double... percent) {
        double[] loads = PriorityStrategy.loads(healthy);
        for (int i = 0; i < percent.length; i++) {
            assertThat(loads[i] * 100).as("load %d", i).isCloseTo(percent[i], within(0.75));
        }
    }

    /** The table of Envoy's documentation, which computes in whole percents. */
    @Test
    void the_loads_are_those_of_envoy() {
        assertLoads(new double[] {1, 1}, 100, 0);
        assertLoads(new double[] {0.72, 1}, 100, 0);
        assertLoads(new double[] {0.71, 1}, 99, 1);
        assertLoads(new double[] {0.5, 1}, 70, 30);
        assertLoads(new double[] {0.25, 1}, 35, 65);
        assertLoads(new double[] {0, 1}, 0, 100);
        assertLoads(new double[] {1, 0}, 100, 0);
        assertLoads(new double[] {0.25, 0.25}, 50, 50);
        assertLoads(new double[] {0.71, 0.71, 1}, 99, 1, 0);
        assertLoads(new double[] {0.5, 0.5, 1}, 70, 30, 0);
        assertLoads(new double[] {0.25, 1, 1}, 35, 65, 0);
        assertLoads(new double[] {0.25, 0.25, 1}, 35, 35, 30);
        assertLoads(new double[] {0.25, 0.25, 0.2}, 36, 36, 28);
        assertLoads(new double[] {0, 0}, 0, 0);
    }

    @Property
    void all_calls_are_shared_and_none_takes_more_than_it_can_if_all_together_can(
            @ForAll @Size(min = 1, max = 6) List<@DoubleRange(max = 1) Double> shares) {
        double[] healthy = shares.stream().mapToDouble(Double::doubleValue).toArray();
        double[] loads = PriorityStrategy.loads(healthy);
        double able =
                Arrays.stream(healthy).map(share -> Math.min(1, 1.4 * share)).sum();
        if (able == 0) {
            return;
        }
        assertThat(Arrays.stream(loads).sum()).isCloseTo(1, within(1e-9));
        for (int i = 0; i < healthy.length; i++) {
            assertThat(loads[i]).isBetween(0.0, 1.4 * healthy[i] / Math.min(1, able) + 1e-9);
        }
    }

    @Test
    void half_of_the_first_priority_is_unhealthy_and_seventy_of_a_hundred_calls_still_go_there() {
        FakeCandidates candidates = FakeCandidates.of(
                1, endpoints(2, 2), endpoint -> !Integer.valueOf(0).equals(endpoint.address()));
        assertThat(candidates.share(STRATEGY.over(candidates), 20_000, endpoint -> endpoint.priority() == 0))
                .isCloseTo(0.7, within(0.015));
    }

    @Test
    void weights_count() {
        List<Endpoint<Integer>> endpoints = endpoints(2, 1);
        endpoints.set(0, endpoints.get(0).withWeight(3));
        FakeCandidates candidates =
                FakeCandidates.of(1, endpoints, endpoint -> !Integer.valueOf(0).equals(endpoint.address()));
        assertThat(candidates.share(STRATEGY.over(candidates), 20_000, endpoint -> endpoint.priority() == 0))
                .isCloseTo(0.35, within(0.015));
    }

    @Test
    void a_healthy_first_priority_takes_all_calls() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(3, 3, 3), endpoint -> true);
        assertThat(candidates.share(STRATEGY.over(candidates), 1_000, endpoint -> endpoint.priority() == 0))
                .isEqualTo(1);
    }

    @Test
    void priorities_need_not_follow_each_other() {
        List<Endpoint<Integer>> endpoints =
                List.of(Endpoint.of(1).withPriority(7), Endpoint.of(2).withPriority(1000));
        FakeCandidates candidates = FakeCandidates.of(1, endpoints, endpoint -> true);
        assertThat(candidates.share(STRATEGY.over(candidates), 1_000, endpoint -> endpoint.priority() == 7))
                .isEqualTo(1);
    }

    @Test
    void what_is_refused_in_a_priority_goes_to_the_next_one() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(2, 2), endpoint -> true);
        BalancingStrategy.Picker picker = STRATEGY.over(candidates);
        for (int i = 0; i < 20; i++) {
            assertThat(picker.pick(0, index -> index != 0)).isEqualTo(1);
            assertThat(picker.pick(0, index -> index > 1)).isBetween(2, 3);
            assertThat(picker.pick(0, index -> false)).isEqualTo(-1);
        }
    }

    @Test
    void a_key_stays_where_it_is_while_a_priority_loses_its_health() {
        BalancingStrategy.Picker[] pickers = new BalancingStrategy.Picker[5];
        FakeCandidates[] candidates = new FakeCandidates[5];
        for (int down = 0; down < 5; down++) {
            int from = down;
            candidates[down] = FakeCandidates.of(1, endpoints(8, 8), endpoint -> (Integer) endpoint.address() >= from);
            pickers[down] =
                    BalancingStrategy.priority(BalancingStrategy.rendezvous()).over(candidates[down]);
        }
        for (long key = 0; key < 1_000; key++) {
            boolean left = false;
            for (int down = 0; down < 5; down++) {
                int priority = candidates[down]
                        .endpoint(pickers[down].pick(key * 0x9E3779B97F4A7C15L))
                        .priority();
                assertThat(priority).isIn(left ? List.of(1) : List.of(0, 1));
                left = priority == 1;
            }
        }
    }

    @Test
    void the_explanation_gives_the_shares() {
        FakeCandidates candidates = FakeCandidates.of(1, endpoints(2, 2), endpoint -> (Integer) endpoint.address() > 0);
        BalancingStrategy.Picker picker = STRATEGY.over(candidates);
        assertThat(picker.explain(0, index -> true).reason())
                .matches("priority 0 takes 70 % of the calls, since 50 % of it is healthy; its turn, one of 1"
                        + "|priority 1 takes 30 % of the calls, since 100 % of it is healthy; its turn, one of 2");
        assertThat(picker.explain(0, index -> index == 1).index()).isEqualTo(1);
        assertThat(STRATEGY).hasToString("priority(round robin)");
    }
}
