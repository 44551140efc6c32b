package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ShardMapTest {
    private static List<String> names(int count) {
        return IntStream.range(0, count).mapToObj(i -> "shard-" + i).toList();
    }

    @Nested
    class LookingUp {
        private final ShardMap map = ShardMap.of(names(10));

        @Test
        void a_key_has_the_shard_of_its_slot_however_it_is_written() {
            for (int i = 0; i < 500; i++) {
                String key = "user \u00e9 " + i;
                assertThat(map.shardOf(key)).isEqualTo(map.shardOfSlot(map.slotOf(key)));
                assertThat(map.shardOf(key.getBytes(StandardCharsets.UTF_8))).isEqualTo(map.shardOf(key));
                assertThat(map.shardOf(CharBuffer.wrap(key))).isEqualTo(map.shardOf(key));
                assertThat(map.shardOf((long) i)).isEqualTo(map.shardOfSlot(map.slotOf((long) i)));
                assertThat(map.slotOf((long) i)).isBetween(0, map.slots() - 1);
            }
            assertThat(map.slotOfHash(0)).isZero();
            assertThat(map.slotOfHash(-1)).isEqualTo(map.slots() - 1);
        }

        @Test
        void the_order_of_the_names_does_not_matter() {
            List<String> shuffled = new ArrayList<>(names(10));
            Collections.shuffle(shuffled, new Random(1));
            assertThat(ShardMap.of(shuffled).planTo(map).moves()).isEmpty();
        }

        @Test
        void a_plan_is_written_the_same_in_every_language() {
            Locale before = Locale.getDefault();
            try {
                Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
                assertThat(map.planTo(map)).asString().startsWith("0.00 % of all slots move");
            } finally {
                Locale.setDefault(before);
            }
        }

        @Test
        void shares_are_even_and_add_up() {
            double sum = 0;
            for (String name : names(10)) {
                assertThat(map.share(name)).isBetween(0.09, 0.11);
                sum += map.share(name);
            }
            assertThat(sum).isBetween(1 - 1e-9, 1 + 1e-9);
            assertThat(map.share("stranger")).isZero();
        }

        @Test
        void shares_follow_weights() {
            ShardMap weighted = ShardMap.of(List.of(new Member("big", 3), Member.of("small")), 4096);
            assertThat(weighted.share("big")).isBetween(0.73, 0.77);
        }

        @Test
        void copies_are_on_different_shards_and_the_owner_has_the_first() {
            for (int slot = 0; slot < 200; slot++) {
                List<String> copies = map.replicasOfSlot(slot, 3);
                assertThat(copies).hasSize(3).doesNotHaveDuplicates();
                assertThat(copies.get(0)).isEqualTo(map.shardOfSlot(slot));
            }
            assertThat(map.replicasOfSlot(5, 99)).hasSize(10);
        }

        /** Places that must be the same in every JVM and every version; computed by another program. */
        @Test
        void keys_stay_where_they_were_in_earlier_versions() {
            StringBuilder shards = new StringBuilder();
            for (int i = 0; i < 20; i++) {
                shards.append(map.shardOf("key " + i).substring(6));
            }
            assertThat(shards).hasToString("54935599319638601237");
        }
    }

    @Property(tries = 25)
    void the_plan_is_what_moves_and_no_more_than_must(
            @ForAll @IntRange(min = 2, max = 20) int count, @ForAll boolean joins, @ForAll long seed) {
        Random random = new Random(seed);
        String changed = "shard-" + random.nextInt(count);
        ShardMap all = ShardMap.of(names(count).stream().map(Member::of).toList(), 2048);
        ShardMap fewer = all.without(changed);
        ShardMap before = joins ? fewer : all;
        ShardMap after = joins ? fewer.with(Member.of(changed)) : fewer;
        ShardPlan plan = before.planTo(after);
        Set<Integer> planned = new HashSet<>();
        for (ShardPlan.Move move : plan.moves()) {
            assertThat(joins ? move.to() : move.from()).isEqualTo(changed);
            assertThat(move.slots()).isNotEmpty();
            for (int slot : move.slots()) {
                assertThat(planned.add(slot)).isTrue();
                assertThat(before.shardOfSlot(slot)).isEqualTo(move.from());
                assertThat(after.shardOfSlot(slot)).isEqualTo(move.to());
            }
        }
        for (int i = 0; i < 500; i++) {
            long key = random.nextLong();
            assertThat(plan.moves(key)).isEqualTo(!before.shardOf(key).equals(after.shardOf(key)));
            String text = Long.toString(key, 36);
            assertThat(plan.moves(text)).isEqualTo(!before.shardOf(text).equals(after.shardOf(text)));
            assertThat(plan.moves(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(plan.moves(text));
        }
        assertThat(plan.share()).isEqualTo(all.share(changed)).isEqualTo(planned.size() / 2048.0);
    }

    @Property(tries = 15)
    void with_copies_each_new_holder_gets_a_slot_from_one_that_has_it(
            @ForAll @IntRange(min = 3, max = 9) int count, @ForAll @IntRange(min = 1, max = 4) int copies) {
        ShardMap before = ShardMap.of(names(count).stream().map(Member::of).toList(), 512);
        ShardMap after = before.without("shard-1").with(Member.of("new"));
        List<Set<String>> holders = new ArrayList<>();
        for (int slot = 0; slot < 512; slot++) {
            holders.add(new HashSet<>(before.replicasOfSlot(slot, copies)));
        }
        for (ShardPlan.Move move : before.planTo(after, copies).moves()) {
            for (int slot : move.slots()) {
                assertThat(before.replicasOfSlot(slot, copies)).contains(move.from());
                assertThat(holders.get(slot).add(move.to())).isTrue();
            }
        }
        for (int slot = 0; slot < 512; slot++) {
            assertThat(holders.get(slot)).containsAll(after.replicasOfSlot(slot, copies));
        }
    }

    @Test
    void a_weight_that_grows_moves_slots_to_its_shard_alone() {
        ShardMap before = ShardMap.of(names(5));
        ShardPlan plan = before.planTo(before.with(new Member("shard-2", 2)));
        assertThat(plan.moves()).isNotEmpty().allMatch(move -> move.to().equals("shard-2"));
        assertThat(plan.share()).isBetween(0.10, 0.17); // from 1/5 to 2/6
    }

    @Test
    void any_hash_can_be_behind_it() {
        ShardMap even = ShardMap.of(names(10).stream().map(Member::of).toList(), 1 << 14, Maglev::of);
        assertThat(even.share("shard-3")).isBetween(0.09, 0.11);
        assertThat(even.with(Member.of("new")).shards()).hasSize(11);
        assertThat(even.planTo(even.without("shard-4")).share()).isBetween(0.09, 0.13);
    }

    @Test
    void nothing_moves_to_the_same_map() {
        ShardPlan plan = ShardMap.of(names(3)).planTo(ShardMap.of(names(3)));
        assertThat(plan.moves()).isEmpty();
        assertThat(plan.share()).isZero();
        assertThat(plan).hasToString("0.00 % of all slots move");
    }

    @Test
    void what_makes_no_sense_is_refused() {
        ShardMap map = ShardMap.of(names(2));
        assertThatThrownBy(() -> ShardMap.of(List.of()))
                .hasMessageContaining("shards must have one with a weight above 0");
        assertThatThrownBy(() -> map.without("x")).hasMessage("id must be one of the shards, but was \"x\"");
        assertThatThrownBy(() -> map.without("shard-0").without("shard-1"))
                .hasMessageContaining("shards must have one");
        assertThatThrownBy(() -> ShardMap.of(List.of(Member.of("a")), 1000))
                .hasMessage("slots must be a power of two, but was 1000");
        assertThatThrownBy(() -> ShardMap.of(List.of(Member.of("a")), 1))
                .hasMessage("slots must be from 2 to 1048576, but was 1");
        assertThatThrownBy(() -> map.planTo(ShardMap.of(List.of(Member.of("a")), 64)))
                .hasMessage("the maps must have the same number of slots, but had 16384 and 64");
        assertThatThrownBy(() -> map.shardOfSlot(-1)).hasMessage("slot must be from 0 to 16383, but was -1");
        assertThat(map).hasToString("shard map of 2 shards with 16384 slots");
    }
}
