package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaglevTest extends ConsistentHashContract {
    @Override
    Maglev over(List<Member> members) {
        return Maglev.of(members);
    }

    @Override
    boolean movesNoMoreThanItMust() {
        return false;
    }

    @Override
    double tolerance() {
        return 0.02;
    }

    private static List<Member> hosts(double... weights) {
        return IntStream.range(0, weights.length)
                .mapToObj(i -> new Member("127.0.0.1:" + (90 + i), weights[i]))
                .toList();
    }

    private static List<Member> backends(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Member.of("backend-" + i))
                .toList();
    }

    /** How many places each member has. */
    private static int[] places(Maglev maglev) {
        int[] places = new int[maglev.members().size()];
        Arrays.stream(maglev.table()).forEach(owner -> places[owner]++);
        return places;
    }

    @Test
    void the_table_of_envoys_test() {
        Maglev maglev = Maglev.of(hosts(1, 1, 1, 1, 1, 1), 7);
        assertThat(maglev.table()).containsExactly(2, 4, 0, 1, 5, 0, 3);
        for (int hash = 0; hash < 21; hash++) {
            assertThat(maglev.indexOfHash(hash)).isEqualTo(maglev.table()[hash % 7]);
        }
    }

    @Test
    void the_table_of_envoys_test_by_host_name() {
        List<Member> names = IntStream.range(90, 96)
                .mapToObj(name -> Member.of(Integer.toString(name)))
                .toList();
        assertThat(Maglev.of(names, 7).table()).containsExactly(2, 5, 0, 3, 4, 1, 0);
    }

    @Test
    void the_weighted_tables_of_envoys_tests() {
        assertThat(Maglev.of(hosts(1, 2), 17).table())
                .containsExactly(1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1);
        assertThat(Maglev.of(hosts(1, 1), 17).table())
                .containsExactly(1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1);
        assertThat(Maglev.of(hosts(8, 2), 17).table())
                .containsExactly(1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0);
        assertThat(Maglev.of(hosts(7), 17).table()).containsOnly(0).hasSize(17);
    }

    @Test
    void a_second_and_a_third_try_go_where_they_go_in_envoys_test() {
        Maglev maglev = Maglev.of(hosts(1, 1, 1, 1, 1, 1), 7);
        assertThat(maglev.indexOfHash(10)).isEqualTo(1);
        assertThat(maglev.indexOfHash(10, index -> index != 1)).isEqualTo(0);
        assertThat(maglev.replicas(10, 3)).containsExactly(1, 0, 5);
    }

    @Test
    void the_example_of_the_paper() {
        double[] weights = {1, 1, 1};
        assertThat(fill(new int[] {3, 0, 3}, new int[] {4, 2, 1}, weights)).containsExactly(1, 0, 1, 0, 2, 2, 0);
        assertThat(fill(new int[] {3, 3}, new int[] {4, 1}, new double[] {1, 1}))
                .containsExactly(0, 0, 0, 0, 1, 1, 1);
        // The same with the permutations (2 6 3 0 4 1 5), (0 5 3 1 6 4 2), (1 3 5 0 2 4 6) of another implementation's
        // test.
        assertThat(fill(new int[] {2, 0, 1}, new int[] {4, 5, 2}, weights)).containsExactly(1, 2, 0, 2, 0, 1, 0);
        assertThat(fill(new int[] {2, 1}, new int[] {4, 2}, new double[] {1, 1}))
                .containsExactly(0, 1, 0, 1, 0, 1, 0);
    }

    private static int[] fill(int[] offsets, int[] skips, double[] weights) {
        char[] table = Maglev.fill(offsets, skips, weights, 7);
        return IntStream.range(0, table.length).map(i -> table[i]).toArray();
    }

    @Property(tries = 60)
    void of_equal_members_none_has_more_than_one_place_more(
            @ForAll @IntRange(min = 1, max = 300) int count, @ForAll boolean small) {
        int[] places = places(Maglev.of(backends(count), small ? 509 : 65537));
        assertThat(Arrays.stream(places).max().orElseThrow()
                        - Arrays.stream(places).min().orElseThrow())
                .isLessThanOrEqualTo(1);
    }

    @Property(tries = 40)
    void a_place_is_found_for_each_value_modulo_the_size(@ForAll long value) {
        for (Maglev maglev : List.of(TINY, SMALL, MIDDLE)) {
            assertThat(maglev.indexOfHash(value))
                    .isEqualTo(maglev.table()[(int) Long.remainderUnsigned(value, maglev.size())]);
        }
    }

    private static final Maglev TINY = Maglev.of(backends(2), 2);
    private static final Maglev SMALL = Maglev.of(backends(3), 13);
    private static final Maglev MIDDLE = Maglev.of(backends(100), 65537);

    @Example
    void a_place_is_right_near_each_multiple_of_the_size() {
        for (Maglev maglev : List.of(TINY, SMALL, MIDDLE)) {
            long most = Long.divideUnsigned(-1L, maglev.size());
            for (long near : new long[] {0, 1, 2, most / 2, most / 2 + 1, most / 2 + 2, most - 1, most}) {
                for (int off = -2; off <= 2; off++) {
                    a_place_is_found_for_each_value_modulo_the_size(near * maglev.size() + off);
                }
            }
        }
    }

    /** Figures of another program by the same rule; a removal moves its own share and some more. */
    @ParameterizedTest
    @CsvSource({
        "65537, 1000, 65, 66, 1, 0.0070",
        "65537, 1000, 65, 66, 10, 0.0336",
        "65537, 1000, 65, 66, 100, 0.1356",
        "655373, 1000, 655, 656, 1, 0.0042",
        "655373, 1000, 655, 656, 10, 0.0158",
        "655373, 1000, 655, 656, 100, 0.1106",
        "65537, 100, 655, 656, 1, 0.0159",
        "65537, 100, 655, 656, 10, 0.1117",
        "65537, 10, 6553, 6554, 1, 0.1019"
    })
    void few_keys_of_others_move_when_members_leave(
            int size, int count, int least, int most, int leave, double expected) {
        Maglev before = Maglev.of(backends(count), size);
        Maglev after = Maglev.of(backends(count).subList(leave, count), size);
        assertThat(places(before)).contains(least, most).containsOnly(least, most);
        int[] old = before.table();
        int[] now = after.table();
        int moved = 0;
        for (int i = 0; i < size; i++) {
            if (!before.members().get(old[i]).equals(after.members().get(now[i]))) {
                moved++;
            }
        }
        assertThat(moved / (double) size).isCloseTo(expected, within(0.12 * expected + 0.0005));
    }

    @Test
    void a_size_that_is_no_prime_number_is_refused() {
        assertThatThrownBy(() -> Maglev.of(hosts(1), 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("size must be a prime number, but was 8, which 2 divides");
        assertThatThrownBy(() -> Maglev.of(hosts(1), 65_536)).hasMessageContaining("prime");
        assertThatThrownBy(() -> Maglev.of(hosts(1), 251 * 251)).hasMessageContaining("251 divides");
        assertThatThrownBy(() -> Maglev.of(hosts(1), 1)).hasMessage("size must be from 2 to 5000011, but was 1");
        assertThat(Maglev.of(hosts(1), 2).table()).containsExactly(0, 0);
    }

    @Test
    void more_members_than_places_all_are_still_replicas() {
        Maglev maglev = Maglev.of(backends(10), 7);
        assertThat(maglev.replicas(5, 10)).hasSize(10).doesNotHaveDuplicates();
    }

    @Test
    void very_unequal_weights_fill_the_table() {
        List<Member> members = new ArrayList<>(backends(50));
        members.set(7, new Member("backend-7", 1e12));
        int[] places = places(Maglev.of(members));
        assertThat(Arrays.stream(places).max().orElseThrow()).isEqualTo(65537 - 49);
    }

    @Test
    void it_prints_what_it_is() {
        assertThat(Maglev.of(hosts(1, 1), 7)).hasToString("Maglev table of 2 members with 7 places");
    }
}
