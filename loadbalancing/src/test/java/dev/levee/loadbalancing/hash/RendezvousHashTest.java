package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RendezvousHashTest extends ConsistentHashContract {
    @Override
    ConsistentHash over(List<Member> members) {
        return RendezvousHash.of(members);
    }

    @Override
    double tolerance() {
        return 0.04;
    }

    @Property(tries = 40)
    void a_member_whose_weight_grows_takes_keys_and_no_other_moves(
            @ForAll @IntRange(min = 1, max = 20) int weight, @ForAll long seed) {
        List<Member> before = List.of(new Member("a", 1), new Member("b", 2), new Member("c", weight));
        List<Member> after = new ArrayList<>(before);
        after.set(2, new Member("c", weight + 0.5));
        Random random = new Random(seed);
        for (int i = 0; i < 1_000; i++) {
            long value = random.nextLong();
            assertThat(owner(over(after), value)).isIn(owner(over(before), value), "c");
        }
    }

    @Test
    void equal_weights_of_any_size_give_the_same_owners_as_weights_of_one() {
        ConsistentHash ones = over(members(9));
        ConsistentHash sevens = over(
                members(9).stream().map(member -> new Member(member.id(), 7)).toList());
        for (long key = 0; key < 1_000; key++) {
            assertThat(sevens.indexOf(key)).isEqualTo(ones.indexOf(key));
        }
    }

    /**
     * Places that must be the same in every JVM and every version; computed by another program with the reference
     * XXH64.
     */
    @Test
    void keys_stay_where_they_were_in_earlier_versions() {
        ConsistentHash uneven = over(List.of(Member.of("a"), new Member("b", 2), new Member("c", 3.5)));
        StringBuilder owners = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            owners.append(uneven.members().get(uneven.indexOf("key " + i)).id());
        }
        assertThat(owners).hasToString("cbbbbccbcccbcacbcccc");
    }

    @Test
    void it_prints_what_it_is() {
        assertThat(over(members(3))).hasToString("rendezvous hash of 3 members");
    }
}
