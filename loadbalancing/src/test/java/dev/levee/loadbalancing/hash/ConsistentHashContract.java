package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What holds for every hash. */
abstract class ConsistentHashContract {
    abstract ConsistentHash over(List<Member> members);

    /** Whether weights may differ. */
    boolean weighs() {
        return true;
    }

    /** Whether any member may leave without a key of another moving. */
    boolean movesNoMoreThanItMust() {
        return true;
    }

    /** How far from its share a member may be that has a tenth of all. */
    double tolerance() {
        return 0.1;
    }

    static List<Member> members(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Member.of("10.0.%d.%d:80".formatted(i / 256, i % 256)))
                .toList();
    }

    static String owner(ConsistentHash hash, long value) {
        return hash.members().get(hash.indexOfHash(value)).id();
    }

    @Property(tries = 30)
    void the_order_of_the_members_does_not_matter(@ForAll @IntRange(min = 1, max = 40) int count, @ForAll long seed) {
        List<Member> shuffled = new ArrayList<>(members(count));
        Collections.shuffle(shuffled, new Random(seed));
        ConsistentHash one = over(members(count));
        ConsistentHash other = over(shuffled);
        assertThat(other.members()).isEqualTo(one.members()).isSortedAccordingTo((a, b) -> a.id().compareTo(b.id()));
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            long value = random.nextLong();
            assertThat(other.indexOfHash(value)).isEqualTo(one.indexOfHash(value));
            assertThat(other.replicas(value, 3)).isEqualTo(one.replicas(value, 3));
        }
    }

    @Property(tries = 40)
    void only_the_keys_of_a_member_that_leaves_move(
            @ForAll @IntRange(min = 2, max = 40) int count, @ForAll boolean weighted, @ForAll long seed) {
        if (!movesNoMoreThanItMust()) {
            return;
        }
        Random random = new Random(seed);
        List<Member> all = new ArrayList<>();
        for (Member member : members(count)) {
            all.add(weighted && weighs() ? new Member(member.id(), 0.5 + random.nextInt(4)) : member);
        }
        List<Member> fewer = new ArrayList<>(all);
        String gone = fewer.remove(random.nextInt(count)).id();
        ConsistentHash with = over(all);
        ConsistentHash without = over(fewer);
        for (int i = 0; i < 500; i++) {
            long value = random.nextLong();
            String before = owner(with, value);
            if (!before.equals(gone)) {
                assertThat(owner(without, value)).isEqualTo(before);
            }
        }
    }

    @Example
    void shares_are_even() {
        double[] shares = shares(over(members(10)));
        for (double share : shares) {
            assertThat(share * 10).isBetween(1 - tolerance(), 1 + tolerance());
        }
    }

    @Example
    void shares_follow_weights() {
        if (!weighs()) {
            assertThatThrownBy(() -> over(List.of(Member.of("a"), new Member("b", 2))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("weights must be equal, or 0, but \"b\" has 2.0 and another 1.0");
            return;
        }
        double[] shares = shares(over(List.of(new Member("a", 6), new Member("b", 3), new Member("c", 1))));
        assertThat(shares[0]).isBetween(0.6 * (1 - tolerance()), 0.6 * (1 + tolerance()));
        assertThat(shares[1]).isBetween(0.3 * (1 - tolerance()), 0.3 * (1 + tolerance()));
        assertThat(shares[2]).isBetween(0.1 * (1 - 2 * tolerance()), 0.1 * (1 + 2 * tolerance()));
    }

    static double[] shares(ConsistentHash hash) {
        double[] shares = new double[hash.members().size()];
        Random random = new Random(1);
        for (int i = 0; i < 200_000; i++) {
            shares[hash.indexOfHash(random.nextLong())] += 1 / 2e5;
        }
        return shares;
    }

    @Property(tries = 60)
    void the_next_ones_are_different_members_and_come_in_one_order(
            @ForAll @IntRange(min = 1, max = 30) int count, @ForAll @IntRange(max = 33) int wanted, @ForAll long hash) {
        ConsistentHash over = over(members(count));
        int[] replicas = over.replicas(hash, wanted);
        assertThat(replicas).hasSize(Math.min(count, wanted)).doesNotHaveDuplicates();
        BitSet down = new BitSet();
        for (int index : replicas) {
            assertThat(over.indexOfHash(hash, candidate -> !down.get(candidate)))
                    .isEqualTo(index);
            down.set(index);
        }
        if (wanted > 0) {
            assertThat(replicas[0]).isEqualTo(over.indexOfHash(hash));
        }
    }

    @Example
    void the_keys_of_a_member_that_is_stepped_over_are_spread_over_the_others() {
        ConsistentHash hash = over(members(10));
        int[] heirs = new int[10];
        int moved = 0;
        Random random = new Random(2);
        for (int i = 0; i < 100_000; i++) {
            long value = random.nextLong();
            if (hash.indexOfHash(value) == 3) {
                moved++;
                heirs[hash.indexOfHash(value, index -> index != 3)]++;
            }
        }
        for (int i = 0; i < 10; i++) {
            assertThat(heirs[i] / (double) moved).isBetween(i == 3 ? 0.0 : 0.03, i == 3 ? 0.0 : 0.25);
        }
    }

    @Example
    void any_single_one_that_is_accepted_is_found() {
        ConsistentHash hash = over(members(200));
        Random random = new Random(3);
        for (int i = 0; i < 200; i++) {
            int only = i;
            assertThat(hash.indexOfHash(random.nextLong(), index -> index == only))
                    .isEqualTo(only);
        }
    }

    @Example
    void without_members_there_is_no_owner() {
        for (ConsistentHash hash : List.of(over(List.of()), over(List.of(new Member("a", 0), new Member("b", 0))))) {
            assertThat(hash.indexOf("key")).isEqualTo(-1);
            assertThat(hash.indexOfHash(1, index -> true)).isEqualTo(-1);
            assertThat(hash.replicas(1, 3)).isEmpty();
        }
        assertThat(over(members(3)).indexOfHash(1, index -> false)).isEqualTo(-1);
    }

    @Example
    void one_of_weight_zero_owns_nothing() {
        List<Member> members = new ArrayList<>(members(8));
        members.set(2, new Member(members.get(2).id(), 0));
        ConsistentHash hash = over(members);
        String idle = members.get(2).id();
        Random random = new Random(4);
        for (int i = 0; i < 2_000; i++) {
            long value = random.nextLong();
            assertThat(owner(hash, value)).isNotEqualTo(idle);
        }
        assertThat(hash.replicas(7, 8)).hasSize(7).doesNotContain(2);
    }

    @Example
    void every_value_has_an_owner_also_at_the_ends() {
        for (int count : new int[] {1, 2, 3, 17}) {
            ConsistentHash hash = over(members(count));
            for (long value : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, -1L << 32, 0xFFFFFFFFL}) {
                assertThat(hash.indexOfHash(value)).isBetween(0, count - 1);
            }
        }
    }

    @Example
    void texts_bytes_and_numbers_are_keys() {
        ConsistentHash hash = over(members(50));
        for (int i = 0; i < 200; i++) {
            String text = "k\u00e9y \ud83d\ude00 " + i;
            assertThat(hash.indexOf(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(hash.indexOf(text));
            assertThat(hash.indexOf(CharBuffer.wrap(text))).isEqualTo(hash.indexOf(text));
            assertThat(hash.indexOf((long) i)).isEqualTo(hash.indexOfHash(XxHash64.hash((long) i)));
        }
    }

    @Example
    void one_id_twice_is_refused() {
        assertThatThrownBy(() -> over(List.of(Member.of("a"), Member.of("b"), Member.of("a"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("members must have different ids, but two are \"a\"");
    }
}
