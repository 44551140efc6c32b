package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RedrawTest {
    /** Counts the numbers that are drawn. */
    private static final class Counting extends Random {
        private static final long serialVersionUID = 1L;
        private int draws;

        Counting() {
            super(1);
        }

        @Override
        public long nextLong() {
            draws++;
            return super.nextLong();
        }
    }

    private final Counting random = new Counting();

    @Test
    void an_eligible_index_ends_the_draws() {
        int[] picks = new int[1];
        assertThat(Redraw.index(hash -> picks[0]++, 0, index -> index == 3, 8)).isEqualTo(3);
        assertThat(picks[0]).isEqualTo(4);
    }

    @Test
    void after_as_many_draws_as_are_allowed_there_is_no_index() {
        int[] picks = new int[1];
        assertThat(Redraw.index(hash -> picks[0]++, 0, index -> false, 5)).isEqualTo(Redraw.NONE);
        assertThat(picks[0]).isEqualTo(5);
    }

    @Test
    void a_pair_of_equal_weights_takes_one_number_for_each_of_eight_draws() {
        PairDraw pairs = new PairDraw(new double[] {1, 1, 1});
        assertThat(Redraw.pair(pairs, random, index -> false)).isEqualTo(Redraw.NONE);
        assertThat(random.draws).isEqualTo(8);
        long pair = Redraw.pair(pairs, random, index -> true);
        assertThat(random.draws).isEqualTo(9);
        assertThat(PairDraw.first(pair)).isBetween(0, 2).isNotEqualTo(PairDraw.second(pair));
    }

    @Test
    void a_pair_is_eligible_if_both_are() {
        PairDraw pairs = new PairDraw(new double[] {1, 2, 3});
        for (int i = 0; i < 100; i++) {
            long pair = Redraw.pair(pairs, random, index -> index != 1);
            if (pair >= 0) {
                assertThat(PairDraw.first(pair) + PairDraw.second(pair)).isEqualTo(2);
            }
        }
    }

    @Test
    void where_one_outweighs_all_others_there_is_no_other_after_eight_draws() {
        AliasTable table = new AliasTable(new double[] {1e300, 1});
        assertThat(Redraw.other(table, 0, random)).isEqualTo(Redraw.NONE);
        assertThat(random.draws).isEqualTo(8);
        assertThat(Redraw.other(table, 1, random)).isZero();
    }
}
