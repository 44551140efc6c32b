package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CircularIndexTest {
    private static int[] counts(int size, long from, int turns) {
        CircularIndex around = new CircularIndex(size);
        int[] counts = new int[size];
        for (int i = 0; i < turns; i++) {
            counts[around.index(from + i)]++;
        }
        return counts;
    }

    @Test
    void the_first_turns_are_the_indices_in_their_order() {
        for (int size : new int[] {1, 2, 3, 7, 10, 64, 1_000, 65_536, 1 << 20}) {
            CircularIndex around = new CircularIndex(size);
            for (int i = 0; i < 3 * size; i++) {
                assertThat(around.index(i)).isEqualTo(i % size);
            }
        }
    }

    @Property
    void each_index_comes_once_a_round_from_wherever_it_starts(
            @ForAll @IntRange(min = 1, max = 2_000) int size, @ForAll long from) {
        assertThat(counts(size, from, size)).containsOnly(1);
    }

    @Property
    void and_where_31_or_32_or_63_or_64_bits_end(
            @ForAll @IntRange(min = 1, max = 2_000) int size, @ForAll @IntRange(max = 2_000) int before) {
        for (long end : new long[] {1L << 31, 1L << 32, 1L << 62, Long.MIN_VALUE, 0L}) {
            assertThat(counts(size, end - before, 2 * size)).containsOnly(2);
        }
    }

    /** Where the steps have come a whole index too far, which is far from every power of two. */
    @Property
    void an_index_that_comes_twice_in_a_row_for_rounding_is_the_only_one_of_its_round(
            @ForAll @IntRange(min = 3, max = 300) int size) {
        CircularIndex around = new CircularIndex(size);
        long low = 0;
        long high = Long.MAX_VALUE;
        // As long as none came twice the index of turn k is k modulo the size.
        while (high - low > 1) {
            long middle = (low + high) >>> 1;
            if (around.index(middle) == middle % size) {
                low = middle;
            } else {
                high = middle;
            }
        }
        for (int count : counts(size, low - size, 2 * size)) {
            assertThat(count).isBetween(1, 3);
        }
    }
}
