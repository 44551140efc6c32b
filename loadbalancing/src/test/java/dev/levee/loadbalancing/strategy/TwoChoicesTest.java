package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TwoChoicesTest {
    private static BalancingStrategy.Picker over(FakeCandidates candidates) {
        return BalancingStrategy.powerOfTwoChoices().over(candidates);
    }

    @Property
    void of_two_endpoints_the_busier_is_never_picked_since_the_two_are_never_the_same(
            @ForAll @IntRange(max = 50) int first, @ForAll @IntRange(max = 50) int second, @ForAll long seed) {
        for (FakeCandidates candidates :
                new FakeCandidates[] {FakeCandidates.equal(2, seed), new FakeCandidates(seed, 5, 5.0000001)}) {
            candidates.inFlight[0] = first;
            candidates.inFlight[1] = second;
            BalancingStrategy.Picker picker = over(candidates);
            for (int i = 0; i < 50 && first != second; i++) {
                assertThat(picker.pick(0)).isEqualTo(first < second ? 0 : 1);
            }
        }
    }

    @Property
    void the_busiest_of_any_number_is_never_picked(
            @ForAll @IntRange(min = 2, max = 20) int size, @ForAll boolean weighted, @ForAll long seed) {
        double[] weights = new double[size];
        Arrays.setAll(weights, i -> weighted ? 1 + i : 1);
        FakeCandidates candidates = new FakeCandidates(seed, weights);
        int busiest = (int) Long.remainderUnsigned(seed, size);
        candidates.inFlight[busiest] = 1_000;
        BalancingStrategy.Picker picker = over(candidates);
        for (int i = 0; i < 200; i++) {
            assertThat(picker.pick(0)).isBetween(0, size - 1).isNotEqualTo(busiest);
        }
    }

    @Test
    void every_pair_is_drawn_as_often() {
        int size = 5;
        // One that is drawn with the only idle one loses; so the idle one is picked exactly when it is in the pair.
        FakeCandidates candidates = FakeCandidates.equal(size, 3);
        Arrays.fill(candidates.inFlight, 5);
        candidates.inFlight[3] = 0;
        BalancingStrategy.Picker picker = over(candidates);
        int[] counts = new int[size];
        for (int i = 0; i < 100_000; i++) {
            counts[picker.pick(0)]++;
        }
        assertThat(counts[3] / 100_000.0).isCloseTo(2.0 / size, within(0.01));
        for (int i = 0; i < size; i++) {
            if (i != 3) {
                assertThat(counts[i] / 100_000.0).isCloseTo(0.6 / (size - 1), within(0.01));
            }
        }
    }

    /**
     * As many balls as bins, none taken out: at most 4 with two choices, at least 6 with one, for 2^16 (Azar and
     * others, 1999).
     */
    @Test
    void the_largest_load_is_that_of_the_literature_and_far_below_that_of_one_random_choice() {
        int size = 1 << 16;
        for (int seed = 0; seed < 5; seed++) {
            FakeCandidates two = FakeCandidates.equal(size, seed);
            FakeCandidates one = FakeCandidates.equal(size, seed);
            BalancingStrategy.Picker picker = over(two);
            for (int ball = 0; ball < size; ball++) {
                two.inFlight[picker.pick(0)]++;
                one.inFlight[one.random().nextInt(size)]++;
            }
            assertThat(Arrays.stream(two.inFlight).max().orElseThrow()).isBetween(3, 4);
            assertThat(Arrays.stream(one.inFlight).max().orElseThrow()).isGreaterThanOrEqualTo(6);
        }
    }

    @Test
    void idle_endpoints_share_by_weight() {
        FakeCandidates candidates = new FakeCandidates(1, 6, 3, 1);
        BalancingStrategy.Picker picker = over(candidates);
        int[] counts = new int[3];
        for (int i = 0; i < 100_000; i++) {
            counts[picker.pick(0)]++;
        }
        assertThat(counts[0] / 1e5).isCloseTo(0.6, within(0.01));
        assertThat(counts[1] / 1e5).isCloseTo(0.3, within(0.01));
        assertThat(counts[2] / 1e5).isCloseTo(0.1, within(0.01));
    }

    @Test
    void calls_that_stay_open_are_spread_by_weight() {
        FakeCandidates candidates = new FakeCandidates(1, 10, 1);
        BalancingStrategy.Picker picker = over(candidates);
        for (int i = 0; i < 1_100; i++) {
            candidates.inFlight[picker.pick(0)]++;
        }
        assertThat(candidates.inFlight[0]).isBetween(990, 1010);
    }

    @Test
    void a_weight_beside_which_the_others_are_nothing_is_no_trap() {
        FakeCandidates candidates = new FakeCandidates(1, 1e12, 1e-12, 1e-12);
        assertThat(over(candidates).pick(0)).isZero();
        candidates.inFlight[0] = Integer.MAX_VALUE;
        assertThat(over(candidates).pick(0, index -> index != 0)).isPositive();
    }

    @Property
    void the_alias_table_draws_by_weight(@ForAll @IntRange(min = 1, max = 20) int size, @ForAll long seed) {
        java.util.Random random = new java.util.Random(seed);
        double[] weights = random.doubles(size, 0, 1).map(x -> x * x * x + 1e-6).toArray();
        AliasTable table = new AliasTable(weights);
        int[] counts = new int[size];
        for (int i = 0; i < 20_000; i++) {
            counts[table.draw(random.nextLong())]++;
        }
        double total = Arrays.stream(weights).sum();
        for (int i = 0; i < size; i++) {
            double share = weights[i] / total;
            double deviation = Math.sqrt(share * (1 - share) / 20_000);
            assertThat(counts[i] / 20_000.0).isCloseTo(share, within(6 * deviation + 1e-3));
        }
    }

    @Test
    void the_explanation_gives_both() {
        FakeCandidates candidates = new FakeCandidates(1, 1, 2);
        candidates.inFlight[0] = 4;
        candidates.inFlight[1] = 3;
        assertThat(over(candidates).explain(0, index -> true))
                .isEqualTo(
                        new BalancingStrategy.Choice(1, "e1 has 3 in flight for weight 2, against e0 has 4 in flight"));
        assertThat(over(candidates).explain(0, index -> index == 0).reason())
                .isEqualTo("e0 has 4 in flight, the least of 2 for its weight");
        assertThat(over(candidates).explain(0, index -> false).index()).isEqualTo(-1);
    }
}
