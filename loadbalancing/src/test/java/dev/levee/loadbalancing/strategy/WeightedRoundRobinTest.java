package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Group;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WeightedRoundRobinTest {
    private static String picks(int picks, double... weights) {
        BalancingStrategy.Picker picker = BalancingStrategy.weightedRoundRobin().over(new FakeCandidates(1, weights));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < picks; i++) {
            text.append((char) ('a' + picker.pick(0)));
        }
        return text.toString();
    }

    private static double[] weights(List<? extends Number> numbers) {
        return numbers.stream().mapToDouble(Number::doubleValue).toArray();
    }

    @Group
    @Nested
    class WholeWeights {
        @Test
        void five_one_one_give_the_published_sequence_of_nginx() {
            assertThat(picks(14, 5, 1, 1)).isEqualTo("aabacaaaabacaa");
        }

        @Test
        void other_sequences_follow_from_the_same_rule() {
            assertThat(picks(6, 3, 2, 1)).isEqualTo("abacba");
            assertThat(picks(8, 4, 2, 2)).isEqualTo("abcaabca");
            assertThat(picks(4, 1, 1, 1, 1)).isEqualTo("abcd");
        }

        @Test
        void the_decimal_point_makes_no_difference() {
            assertThat(picks(8, 0.1, 0.7)).isEqualTo(picks(8, 1, 7));
            assertThat(picks(14, 0.005, 0.001, 0.001)).isEqualTo("aabacaaaabacaa");
            assertThat(picks(8, 1.25, 0.75)).isEqualTo(picks(8, 5, 3));
            assertThat(picks(60, 0.3, 0.6, 0.2, 99.9)).isEqualTo(picks(60, 3, 6, 2, 999));
        }

        @Test
        void a_common_divisor_makes_no_difference() {
            assertThat(picks(14, 5e9, 1e9, 1e9)).isEqualTo("aabacaaaabacaa");
        }

        @Property
        void every_sequence_is_that_of_the_rule_done_step_by_step(
                @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 1, max = 60) Integer> numbers) {
            double[] weights = weights(numbers);
            double total = Arrays.stream(weights).sum();
            double[] current = new double[weights.length];
            StringBuilder expected = new StringBuilder();
            for (int turn = 0; turn < 2 * total; turn++) {
                int best = 0;
                for (int i = 0; i < weights.length; i++) {
                    current[i] += weights[i];
                    if (current[i] > current[best]) {
                        best = i;
                    }
                }
                current[best] -= total;
                expected.append((char) ('a' + best));
            }
            assertThat(picks(expected.length(), weights)).isEqualTo(expected.toString());
        }

        @Property
        void a_sequence_is_kept_only_if_it_is_short(
                @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 1, max = 2_000_000_000) Integer> numbers) {
            int[] sequence = WeightedRoundRobinStrategy.smoothSequence(weights(numbers));
            assertThat(sequence.length).isLessThanOrEqualTo(1 << 16);
            assertThat((long) sequence.length * numbers.size()).isLessThanOrEqualTo(1 << 20);
        }
    }

    @Group
    @Nested
    class AllOtherWeights {
        /**
         * After every prefix of the picks, each endpoint has its share to within a number that grows with the logarithm
         * only.
         */
        private void assertShares(int picks, double... weights) {
            assertThat(WeightedRoundRobinStrategy.smoothSequence(weights)).isEmpty();
            FakeCandidates candidates = new FakeCandidates(1, weights);
            candidates.ticks = -picks / 2; // across the wrap of the counter
            BalancingStrategy.Picker picker =
                    BalancingStrategy.weightedRoundRobin().over(candidates);
            double total = Arrays.stream(weights).sum();
            long[] counts = new long[weights.length];
            for (int n = 1; n <= picks; n++) {
                int index = picker.pick(0);
                counts[index]++;
                assertThat(counts[index] - n * weights[index] / total).isBetween(-3 - Math.log(n), 3 + Math.log(n));
            }
            for (int i = 0; i < weights.length; i++) {
                assertThat(counts[i] - picks * weights[i] / total).isBetween(-3 - Math.log(picks), 3 + Math.log(picks));
            }
        }

        @Property(tries = 100)
        void every_share_is_right_after_every_number_of_picks(
                @ForAll @Size(min = 2, max = 12) List<@DoubleRange(min = 0.01, max = 1000) Double> numbers) {
            double[] weights = weights(numbers);
            weights[0] += 1e-7; // surely not whole
            assertShares(3_000, weights);
        }

        @Test
        void a_million_to_one_gives_the_one_its_share() {
            assertShares(5_000_005, 1_000_000, 1);
        }

        @Test
        void the_largest_weights_do_not_overflow() {
            assertShares(100_000, Integer.MAX_VALUE, Integer.MAX_VALUE - 1.0, 1);
            assertShares(100_000, 1e12, 1e12 - 1, 1e12 - 2);
        }

        @Test
        void a_thousand_endpoints_of_a_thousand_weights_get_their_shares() {
            double[] weights = new double[1000];
            Arrays.setAll(weights, i -> i + 1);
            assertShares(50_000, weights);
        }

        @Test
        void no_weight_is_too_small() {
            assertShares(10_000, 1e-300, 1, Double.MIN_VALUE, 2.5);
        }
    }

    @Test
    void endpoints_that_warm_up_get_the_part_that_they_have_reached() {
        FakeCandidates candidates = new FakeCandidates(1, 2, 1);
        candidates.ramps[0] = 0.5;
        BalancingStrategy.Picker picker = BalancingStrategy.weightedRoundRobin().over(candidates);
        assertThat(candidates.share(picker, 1_000, endpoint -> endpoint.id().equals("e0")))
                .isEqualTo(0.5);
        candidates.ramps[0] = 0.25;
        assertThat(candidates.share(
                        BalancingStrategy.weightedRoundRobin().over(candidates),
                        3_000,
                        endpoint -> endpoint.id().equals("e0")))
                .isCloseTo(1 / 3.0, within(0.001));
    }

    @Test
    void the_explanation_gives_the_weights() {
        BalancingStrategy.Picker picker = BalancingStrategy.weightedRoundRobin().over(new FakeCandidates(1, 5, 1, 1));
        assertThat(picker.explain(0, index -> true))
                .isEqualTo(new BalancingStrategy.Choice(0, "its turn, for weight 5 of 7"));
        assertThat(picker.explain(0, index -> false).index()).isEqualTo(-1);
    }

    @Test
    void equal_weights_of_any_kind_are_round_robin() {
        assertThat(picks(6, 0.1, 0.1, 0.1)).isEqualTo("abcabc");
    }

    @Test
    void the_survivors_of_a_heavy_endpoint_that_died_share_its_calls_by_weight() {
        Balancers nodes = Balancers.over(
                BalancingStrategy.weightedRoundRobin(),
                List.of(Endpoint.of("a", 1_000_000), Endpoint.of("b", 3), Endpoint.of("c", 1)),
                Balancers.seeded(2));
        nodes.gates.get("a").shut = true;
        assertThat(nodes.spread(8_000).get("b") / 8_000.0).isCloseTo(0.75, within(0.02));
    }
}
