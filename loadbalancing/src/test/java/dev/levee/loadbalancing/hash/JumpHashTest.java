package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class JumpHashTest extends ConsistentHashContract {
    @Override
    ConsistentHash over(List<Member> members) {
        return JumpHash.of(members);
    }

    @Override
    boolean weighs() {
        return false;
    }

    @Override
    boolean movesNoMoreThanItMust() {
        return false;
    }

    @Override
    double tolerance() {
        return 0.04;
    }

    /** Values of the function in the paper. */
    @Test
    void it_gives_the_published_values() {
        int[] expected = {0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83};
        for (int key = 0; key < expected.length; key++) {
            assertThat(JumpHash.bucket(key, 100)).isEqualTo(expected[key]);
        }
        assertThat(JumpHash.bucket(256, 1024)).isEqualTo(520);
        assertThat(JumpHash.bucket(10863919174838991L, 11)).isEqualTo(6);
    }

    @Property
    void with_one_bucket_more_a_key_stays_or_goes_to_the_new_one(
            @ForAll long key, @ForAll @IntRange(min = 1, max = 1_000_000) int buckets) {
        int before = JumpHash.bucket(key, buckets);
        assertThat(before).isBetween(0, buckets - 1);
        assertThat(JumpHash.bucket(key, buckets + 1)).isIn(before, buckets);
    }

    @Property
    void the_largest_number_of_buckets_is_no_problem(@ForAll long key) {
        assertThat(JumpHash.bucket(key, Integer.MAX_VALUE)).isNotNegative();
    }

    @Test
    void only_keys_of_the_last_member_move_when_it_leaves() {
        ConsistentHash all = over(members(30));
        ConsistentHash fewer = over(all.members().subList(0, 29));
        Random random = new Random(1);
        for (int i = 0; i < 5_000; i++) {
            long value = random.nextLong();
            if (all.indexOfHash(value) != 29) {
                assertThat(fewer.indexOfHash(value)).isEqualTo(all.indexOfHash(value));
            }
        }
    }

    @Test
    void numbers_out_of_range_are_refused() {
        assertThatThrownBy(() -> JumpHash.bucket(1, 0)).hasMessage("buckets must be at least 1, but was 0");
    }

    @Test
    void it_prints_what_it_is() {
        assertThat(over(members(3))).hasToString("jump hash of 3 members");
    }
}
