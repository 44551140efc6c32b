package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Points that coincide, and plans for several copies. */
class TiesAndPlansTest {
    @Test
    void where_points_coincide_the_first_id_owns_both() {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            members.add(Member.of(String.format("node%04d", i)));
        }
        HashRing ring = HashRing.ketama(members);
        long[][] points = RingPoints.ketama(ring.members());
        Map<Long, Integer> first = new HashMap<>();
        int ties = 0;
        for (int i = 0; i < points.length; i++) {
            for (long point : points[i]) {
                Integer before = first.putIfAbsent(point, i);
                if (before != null && before != i) {
                    ties++;
                    assertThat(ring.indexOfHash((point ^ Long.MIN_VALUE) >>> 32))
                            .isEqualTo(before);
                }
            }
        }
        assertThat(ties).isPositive();
    }

    @Test
    void each_shard_that_loses_a_slot_hands_over_one_copy_of_it() {
        ShardMap before = ShardMap.of(List.of("a", "b"));
        ShardMap after = ShardMap.of(List.of("c", "d"));
        ShardPlan plan = before.planTo(after, 2);
        Map<Integer, Set<String>> from = new HashMap<>();
        Map<Integer, Set<String>> to = new HashMap<>();
        for (ShardPlan.Move move : plan.moves()) {
            for (int slot : move.slots()) {
                from.computeIfAbsent(slot, key -> new HashSet<>()).add(move.from());
                to.computeIfAbsent(slot, key -> new HashSet<>()).add(move.to());
            }
        }
        assertThat(from).hasSize(before.slots());
        assertThat(from.values()).allMatch(Set.of("a", "b")::equals);
        assertThat(to.values()).allMatch(Set.of("c", "d")::equals);
    }
}
