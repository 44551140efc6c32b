package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RandomStrategyTest {
    private static double[] shares(BalancingStrategy strategy, FakeCandidates candidates) {
        BalancingStrategy.Picker picker = strategy.over(candidates);
        double[] shares = new double[candidates.size()];
        for (int i = 0; i < 50_000; i++) {
            shares[picker.pick(0)] += 1 / 50_000.0;
        }
        return shares;
    }

    @Test
    void weights_are_of_no_account() {
        assertThat(shares(BalancingStrategy.random(), new FakeCandidates(1, 5, 1, 1, 1)))
                .containsExactly(new double[] {0.25, 0.25, 0.25, 0.25}, within(0.01));
    }

    @Test
    void weighted_goes_by_weight() {
        assertThat(shares(BalancingStrategy.weightedRandom(), new FakeCandidates(1, 5, 3, 2)))
                .containsExactly(new double[] {0.5, 0.3, 0.2}, within(0.01));
    }

    @Test
    void one_that_warms_up_gets_the_part_that_it_has_reached() {
        FakeCandidates candidates = new FakeCandidates(1, 5, 1, 1);
        candidates.ramps[1] = 0.5;
        assertThat(shares(BalancingStrategy.random(), candidates))
                .containsExactly(new double[] {0.4, 0.2, 0.4}, within(0.01));
    }

    @Test
    void what_is_not_eligible_is_not_drawn_and_the_others_share_by_weight() {
        BalancingStrategy.Picker picker = BalancingStrategy.weightedRandom().over(new FakeCandidates(1, 1e9, 3, 1));
        int[] counts = new int[3];
        for (int i = 0; i < 8_000; i++) {
            counts[picker.pick(0, index -> index > 0)]++;
        }
        assertThat(counts[0]).isZero();
        assertThat(counts[1] / 8e3).isCloseTo(0.75, within(0.02));
        assertThat(picker.pick(0, index -> false)).isEqualTo(-1);
    }

    @Test
    void the_explanation_gives_the_chance() {
        BalancingStrategy.Picker picker = BalancingStrategy.weightedRandom().over(new FakeCandidates(1, 3, 1));
        assertThat(picker.explain(0, index -> index == 0).reason()).isEqualTo("drawn, as 75 % of the calls are");
    }
}
