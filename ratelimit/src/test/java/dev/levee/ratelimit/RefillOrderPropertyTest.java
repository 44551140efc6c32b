package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class RefillOrderPropertyTest {
    @Property
    void the_first_has_the_lowest_rank_whatever_was_added_moved_and_removed(
            @ForAll @Size(max = 200) List<@IntRange(max = 999) Integer> steps, @ForAll long origin) {
        RefillOrder<Integer> order = new RefillOrder<>();
        List<KeyBucket<Integer>> held = new ArrayList<>();
        for (int step : steps) {
            int random = step / 10;
            if (step % 10 < 5 || held.isEmpty()) {
                KeyBucket<Integer> added = new KeyBucket<>(step, origin + random);
                order.add(added);
                held.add(added);
            } else if (step % 10 < 7) {
                KeyBucket<Integer> moved = held.get(random % held.size());
                order.rerank(moved, moved.rank + random);
            } else {
                order.remove(held.remove(random % held.size()));
            }
            assertThat(order.size()).isEqualTo(held.size());
            for (KeyBucket<Integer> bucket : held) {
                assertThat(order.first().rank - bucket.rank).isLessThanOrEqualTo(0);
            }
        }
        while (order.size() > 0) {
            assertThat(held.remove(order.first())).isTrue();
            order.remove(order.first());
        }
        assertThat(held).isEmpty();
    }

    /** The last bucket comes from another branch, where times are earlier, and has to rise. */
    @Example
    void a_bucket_that_takes_the_place_of_a_removed_one_rises_as_far_as_it_must() {
        RefillOrder<Long> order = new RefillOrder<>();
        List<KeyBucket<Long>> buckets = new ArrayList<>();
        for (long tat : new long[] {1, 10, 2, 11, 12, 13, 3}) {
            KeyBucket<Long> bucket = new KeyBucket<>(tat, tat);
            buckets.add(bucket);
            order.add(bucket);
        }
        order.remove(buckets.get(3));
        List<Long> left = new ArrayList<>();
        while (order.size() > 0) {
            left.add(order.first().key);
            order.remove(order.first());
        }
        assertThat(left).containsExactly(1L, 2L, 3L, 10L, 12L, 13L);
    }
}
