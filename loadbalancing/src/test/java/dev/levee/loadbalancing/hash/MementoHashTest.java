package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MementoHashTest extends ConsistentHashContract {
    @Override
    MementoHash over(List<Member> members) {
        return MementoHash.of(members);
    }

    @Override
    boolean weighs() {
        return false;
    }

    /** When made anew; {@link MementoHash#without} is what moves little. */
    @Override
    boolean movesNoMoreThanItMust() {
        return false;
    }

    @Override
    double tolerance() {
        return 0.04;
    }

    @Test
    void as_long_as_none_has_left_it_is_a_jump_hash() {
        MementoHash memento = over(members(20));
        for (long key = 0; key < 500; key++) {
            assertThat(memento.indexOfHash(key)).isEqualTo(JumpHash.bucket(key, 20));
        }
    }

    /**
     * Any history of members that leave and join: after each step only keys of the one that left, or to the one that
     * joined, moved.
     */
    @Property(tries = 100)
    void only_the_keys_of_one_that_leaves_move_and_only_to_one_that_joins(
            @ForAll @IntRange(min = 1, max = 25) int count, @ForAll long seed) {
        Random random = new Random(seed);
        MementoHash hash = over(members(count));
        long[] values = random.longs(400).toArray();
        int joined = 0;
        for (int step = 0; step < 60; step++) {
            String[] before = owners(hash, values);
            boolean leaves = hash.members().size() > 1 && random.nextInt(5) < 3;
            Member changed =
                    leaves ? hash.members().get(random.nextInt(hash.members().size())) : Member.of("new " + joined++);
            hash = leaves ? hash.without(changed.id()) : hash.with(changed);
            String[] after = owners(hash, values);
            for (int i = 0; i < values.length; i++) {
                if (!after[i].equals(before[i])) {
                    assertThat(leaves ? before[i] : after[i]).isEqualTo(changed.id());
                }
                assertThat(hash.members()).contains(Member.of(after[i]));
            }
        }
    }

    private static String[] owners(MementoHash hash, long[] values) {
        String[] owners = new String[values.length];
        for (int i = 0; i < values.length; i++) {
            owners[i] = owner(hash, values[i]);
        }
        return owners;
    }

    @Test
    void shares_stay_even_whichever_members_have_left() {
        MementoHash hash = over(members(100));
        Random random = new Random(5);
        for (int i = 0; i < 70; i++) {
            hash = hash.without(
                    hash.members().get(random.nextInt(hash.members().size())).id());
        }
        for (double share : shares(hash)) {
            assertThat(share * 30).isBetween(0.93, 1.07);
        }
    }

    @Test
    void a_member_that_joins_takes_the_place_of_the_last_that_left_and_all_is_as_before() {
        MementoHash all = over(members(12));
        MementoHash again = all;
        List<Member> order = new ArrayList<>(List.of(
                members(12).get(3),
                members(12).get(11),
                members(12).get(0),
                members(12).get(7)));
        for (Member member : order) {
            again = again.without(member.id());
        }
        assertThat(again.left()).isEqualTo(order);
        for (int i = order.size() - 1; i >= 0; i--) {
            again = again.with(order.get(i));
        }
        assertThat(again.left()).isEmpty();
        assertThat(again.members()).isEqualTo(all.members());
        for (long key = 0; key < 2_000; key++) {
            assertThat(again.indexOf(key)).isEqualTo(all.indexOf(key));
        }
    }

    @Test
    void the_same_history_elsewhere_gives_the_same_owners() {
        MementoHash here = over(members(40));
        MementoHash there = over(members(40));
        for (int i = 0; i < 40; i += 3) {
            here = here.without(members(40).get(i).id());
        }
        for (Member member : here.left()) {
            there = there.without(member.id());
        }
        for (long key = 0; key < 2_000; key++) {
            assertThat(there.indexOf(key)).isEqualTo(here.indexOf(key));
        }
    }

    @Test
    void the_last_of_all_may_leave_and_another_join() {
        MementoHash hash = over(members(3));
        for (Member member : members(3)) {
            hash = hash.without(member.id());
        }
        assertThat(hash.members()).isEmpty();
        assertThat(hash.indexOfHash(5)).isEqualTo(-1);
        hash = hash.with(Member.of("x"));
        assertThat(owner(hash, 5)).isEqualTo("x");
        assertThat(owner(hash.with(Member.of("y")).without("x"), 5)).isEqualTo("y");
    }

    @Test
    void the_keys_of_one_that_left_are_spread_evenly() {
        MementoHash before = over(members(10));
        MementoHash after = before.without(members(10).get(4).id());
        Map<String, Integer> heirs = new HashMap<>();
        for (long key = 0; key < 90_000; key++) {
            if (before.indexOf(key) == 4) {
                heirs.merge(after.members().get(after.indexOf(key)).id(), 1, Integer::sum);
            }
        }
        assertThat(heirs.values())
                .hasSize(9)
                .allSatisfy(keys -> assertThat(keys).isBetween(880, 1_120));
    }

    @Test
    void strangers_and_twins_are_refused() {
        assertThatThrownBy(() -> over(members(2)).without("x"))
                .hasMessage("id must be one of the members, but was \"x\"");
        assertThatThrownBy(() -> over(List.of(Member.of("a"))).with(Member.of("a")))
                .hasMessage("members must have different ids, but two are \"a\"");
        assertThatThrownBy(() -> over(List.of(Member.of("a"))).with(new Member("b", 0)))
                .hasMessage("weight must be more than 0, but was 0.0");
        assertThatThrownBy(() -> over(List.of(Member.of("a"))).with(new Member("b", 2)))
                .hasMessageContaining("weights must be equal");
    }

    @Test
    void it_prints_what_it_is() {
        assertThat(over(members(3)).without(members(3).get(0).id())).hasToString("memento hash of 2 members, 1 left");
    }
}
