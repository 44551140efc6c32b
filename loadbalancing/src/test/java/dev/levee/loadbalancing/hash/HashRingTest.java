package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HashRingTest {
    private static List<Member> members(int count) {
        return IntStream.range(0, count).mapToObj(i -> Member.of("node-" + i)).toList();
    }

    private static String owner(ConsistentHash hash, long key) {
        return hash.members().get(hash.indexOf(key)).id();
    }

    /** The share of each member of 100000 keys, divided by the mean. */
    private static double[] shares(ConsistentHash hash) {
        double[] shares = new double[hash.members().size()];
        for (long key = 0; key < 100_000; key++) {
            shares[hash.indexOf(key)] += shares.length / 1e5;
        }
        return shares;
    }

    @Nested
    class TheRingOfEnvoysTests {
        /** Six hosts with two points each, whose places Envoy's test of its own ring lists. */
        private final HashRing ring = HashRing.of(
                IntStream.range(90, 96)
                        .mapToObj(port -> Member.of("127.0.0.1:" + port))
                        .toList(),
                2);

        @Test
        void each_of_the_published_points_is_where_it_should_be() {
            String[][] points = {
                {"94", "833437586790550860"},
                {"92", "928266305478181108"},
                {"90", "1033482794131418490"},
                {"95", "3551244743356806947"},
                {"93", "3851675632748031481"},
                {"91", "5583722120771150861"},
                {"91", "6311230543546372928"},
                {"93", "7700377290971790572"},
                {"95", "13144177310400110813"},
                {"92", "13444792449719432967"},
                {"94", "15516499411664133160"},
                {"90", "16117243373044804889"},
            };
            assertThat(ring.points()).isEqualTo(points.length);
            for (int i = 0; i < points.length; i++) {
                long place = Long.parseUnsignedLong(points[i][1]);
                String next = points[(i + 1) % points.length][0];
                assertThat(ring.members().get(ring.indexOfHash(place)).id()).isEqualTo("127.0.0.1:" + points[i][0]);
                assertThat(ring.members().get(ring.indexOfHash(place + 1)).id()).isEqualTo("127.0.0.1:" + next);
            }
        }

        @Test
        void both_ends_of_the_unsigned_numbers_belong_to_the_first_point() {
            assertThat(ring.indexOfHash(0)).isEqualTo(4);
            assertThat(ring.indexOfHash(-1)).isEqualTo(4);
        }

        @Test
        void the_next_distinct_members_are_those_on_the_way_round() {
            assertThat(ring.replicas(Long.parseUnsignedLong("13444792449719432967"), 6))
                    .containsExactly(2, 4, 0, 5, 3, 1);
            assertThat(ring.replicas(Long.parseUnsignedLong("5583722120771150861"), 3))
                    .containsExactly(1, 3, 5);
        }
    }

    @Property(tries = 30)
    void only_the_keys_of_a_member_that_leaves_move_and_only_to_it_when_it_joins(
            @ForAll @IntRange(min = 2, max = 30) int count, @ForAll long seed) {
        List<Member> all = members(count);
        List<Member> fewer = new ArrayList<>(all);
        String gone = fewer.remove((int) Long.remainderUnsigned(seed, count)).id();
        HashRing with = HashRing.of(all);
        HashRing without = HashRing.of(fewer);
        Random keys = new Random(seed);
        int moved = 0;
        for (int i = 0; i < 2_000; i++) {
            long key = keys.nextLong();
            String before = owner(with, key);
            if (before.equals(gone)) {
                moved++;
                assertThat(owner(without, key)).isNotEqualTo(gone);
            } else {
                assertThat(owner(without, key)).isEqualTo(before);
            }
        }
        assertThat(moved / 2_000.0).isCloseTo(1.0 / count, within(0.45 / count + 0.02));
    }

    @Property(tries = 30)
    void a_member_whose_weight_grows_takes_keys_from_the_others_and_no_other_moves(
            @ForAll @IntRange(min = 1, max = 8) int weight) {
        List<Member> before = members(10);
        List<Member> after = new ArrayList<>(before);
        after.set(4, new Member("node-4", weight + 0.5));
        HashRing small = HashRing.of(before);
        HashRing large = HashRing.of(after);
        for (long key = 0; key < 2_000; key++) {
            if (!owner(large, key).equals("node-4")) {
                assertThat(owner(large, key)).isEqualTo(owner(small, key));
            }
        }
    }

    @Test
    void a_hundred_members_with_160_points_share_keys_to_within_a_tenth_and_none_has_a_third_more() {
        double[] shares = shares(HashRing.of(members(100)));
        double variance =
                Arrays.stream(shares).map(share -> (share - 1) * (share - 1)).sum() / 99;
        assertThat(Math.sqrt(variance)).isBetween(0.05, 0.10);
        assertThat(Arrays.stream(shares).max().orElseThrow()).isLessThan(1.33);
        assertThat(Arrays.stream(shares).min().orElseThrow()).isGreaterThan(0.72);
    }

    @Test
    void more_points_share_keys_more_evenly() {
        assertThat(Arrays.stream(shares(HashRing.of(members(100), 1000))).max().orElseThrow())
                .isLessThan(1.12);
        assertThat(Arrays.stream(shares(HashRing.of(members(100), 1))).max().orElseThrow())
                .isGreaterThan(3);
    }

    @Test
    void shares_follow_weights() {
        HashRing ring = HashRing.of(List.of(new Member("a", 6), new Member("b", 3), new Member("c", 1)));
        double[] shares = shares(ring);
        assertThat(ring.points()).isEqualTo(1600);
        assertThat(shares[0] / 3).isCloseTo(0.6, within(0.06));
        assertThat(shares[1] / 3).isCloseTo(0.3, within(0.06));
        assertThat(shares[2] / 3).isCloseTo(0.1, within(0.04));
    }

    @Test
    void large_weights_are_scaled_down_until_they_fit_and_shares_stay() {
        HashRing ring = HashRing.of(List.of(new Member("a", 3e9), new Member("b", 1e9), new Member("c", 1e-3)));
        assertThat(ring.points()).isBetween(HashRing.MAX_POINTS / 2, HashRing.MAX_POINTS);
        assertThat(shares(ring)[0] / 3).isCloseTo(0.75, within(0.01));
        assertThat(HashRing.of(List.of(new Member("a", 1e12), new Member("b", Double.MIN_VALUE)))
                        .points())
                .isLessThanOrEqualTo(HashRing.MAX_POINTS);
    }

    @Test
    void the_order_of_the_members_does_not_matter() {
        List<Member> shuffled = new ArrayList<>(members(20));
        Collections.shuffle(shuffled, new Random(1));
        HashRing one = HashRing.of(members(20));
        HashRing other = HashRing.of(shuffled);
        assertThat(other.members()).isEqualTo(one.members());
        for (long key = 0; key < 1_000; key++) {
            assertThat(other.indexOf(key)).isEqualTo(one.indexOf(key));
        }
    }

    @Test
    void numbers_texts_and_bytes_are_keys() {
        HashRing ring = HashRing.of(members(50));
        for (int i = 0; i < 100; i++) {
            String text = "key " + i;
            assertThat(ring.indexOf(text)).isEqualTo(ring.indexOfHash(XxHash64.hash(text)));
            assertThat(ring.indexOf(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(ring.indexOf(text));
            assertThat(ring.indexOf((long) i)).isEqualTo(ring.indexOfHash(XxHash64.hash((long) i)));
        }
    }

    /**
     * Places that must be the same in every JVM and every version; computed by another program with the reference
     * XXH64.
     */
    @Test
    void keys_stay_where_they_were_in_earlier_versions() {
        HashRing ring = HashRing.of(members(10));
        StringBuilder owners = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            owners.append(ring.indexOf("key " + i));
        }
        assertThat(owners).hasToString("41476284901276730181");
    }

    @Property(tries = 50)
    void replicas_are_different_members_and_the_owner_comes_first(
            @ForAll @IntRange(min = 1, max = 12) int count, @ForAll @IntRange(max = 15) int wanted, @ForAll long hash) {
        HashRing ring = HashRing.of(members(count));
        int[] replicas = ring.replicas(hash, wanted);
        assertThat(replicas).hasSize(Math.min(count, wanted)).doesNotHaveDuplicates();
        if (wanted > 0) {
            assertThat(replicas[0]).isEqualTo(ring.indexOfHash(hash));
        }
        Set<Integer> down = new HashSet<>();
        for (int index : replicas) {
            assertThat(ring.indexOfHash(hash, candidate -> !down.contains(candidate)))
                    .isEqualTo(index);
            down.add(index);
        }
    }

    @Nested
    class Edges {
        @Test
        void a_ring_without_members_owns_nothing() {
            HashRing ring = HashRing.of(List.of());
            assertThat(ring.indexOf("key")).isEqualTo(-1);
            assertThat(ring.indexOfHash(1, index -> true)).isEqualTo(-1);
            assertThat(ring.replicas(1, 3)).isEmpty();
        }

        @Test
        void a_member_of_weight_zero_owns_nothing_and_is_no_replica() {
            HashRing ring = HashRing.of(List.of(new Member("a", 0), Member.of("b"), Member.of("c")));
            for (long key = 0; key < 1_000; key++) {
                assertThat(ring.indexOf(key)).isPositive();
            }
            assertThat(ring.replicas(5, 3)).hasSize(2).doesNotContain(0);
            assertThat(HashRing.of(List.of(new Member("a", 0))).indexOf(1)).isEqualTo(-1);
        }

        @Test
        void a_member_of_the_smallest_weight_has_a_point() {
            HashRing ring = HashRing.of(List.of(new Member("a", 1e12), new Member("b", Double.MIN_VALUE)));
            assertThat(ring.replicas(5, 2)).containsExactly(0, 1);
        }

        @Test
        void if_none_is_accepted_there_is_no_owner() {
            assertThat(HashRing.of(members(3)).indexOfHash(1, index -> false)).isEqualTo(-1);
        }

        @Test
        void one_id_twice_is_refused() {
            assertThatThrownBy(() -> HashRing.of(List.of(Member.of("a"), Member.of("b"), Member.of("a"))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("members must have different ids, but two are \"a\"");
        }

        @Test
        void numbers_out_of_range_are_refused() {
            assertThatThrownBy(() -> HashRing.of(members(1), 0))
                    .hasMessage("pointsPerWeight must be from 1 to 1048576, but was 0");
            assertThatThrownBy(() -> HashRing.of(members(1)).replicas(1, -1))
                    .hasMessage("count must be at least 0, but was -1");
            assertThatThrownBy(() -> new Member("a", Double.NaN))
                    .hasMessage("weight must be from 0 to 1.0E12, but was NaN");
            assertThatThrownBy(() -> new Member("a", -1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new Member(" ", 1)).hasMessage("id must not be blank, but was \" \"");
        }

        @Test
        void it_prints_what_it_is() {
            assertThat(HashRing.of(members(3))).hasToString("ring of 3 members with 480 points");
        }
    }
}
