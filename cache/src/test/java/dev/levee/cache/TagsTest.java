package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Tags.Stamp;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TagsTest {
    private final Tags tags = new Tags();

    private static void collect(Tags tags, int expected) {
        for (int i = 0; i < 1_000 && tags.size() > expected; i++) {
            System.gc();
            Thread.onSpinWait();
        }
        assertThat(tags.size()).isEqualTo(expected);
    }

    @Test
    void an_entry_is_outdated_if_one_of_its_tags_was_invalidated_since_its_load_began() {
        long began = tags.now();
        Stamp both = tags.of(Set.of("x", "y"), began);
        Stamp other = tags.of(Set.of("z"), began);
        tags.invalidate("y");
        assertThat(both.isOutdated()).isTrue();
        assertThat(other.isOutdated()).isFalse();
        assertThat(tags.of(Set.of("x", "y"), tags.now()).isOutdated()).isFalse();
    }

    @Test
    void an_invalidation_before_the_tag_was_known_is_not_missed() {
        long began = tags.now();
        tags.invalidate("x");
        Stamp late = tags.of(Set.of("x"), began);
        assertThat(late.isOutdated()).isTrue();
        assertThat(tags.of(Set.of("x"), tags.now()).isOutdated()).isFalse();
    }

    @Test
    void an_absence_is_outdated_by_every_invalidation() {
        Stamp absence = tags.ofAbsence(tags.now());
        assertThat(absence.isOutdated()).isFalse();
        tags.invalidate("anything");
        assertThat(absence.isOutdated()).isTrue();
    }

    @Test
    void no_tags_cost_nothing() {
        assertThat(tags.of(Set.of(), 0)).isNull();
        assertThat(tags.size()).isZero();
    }

    @Test
    void tags_that_no_entry_holds_are_forgotten_and_their_invalidations_are_not() {
        long began = tags.now();
        Stamp held = tags.of(Set.of("x"), began);
        tags.invalidate("x");
        assertThat(held.isOutdated()).isTrue();
        held = null;
        collect(tags, 0);
        assertThat(tags.of(Set.of("x"), began).isOutdated()).isTrue();
    }

    @Test
    void tags_that_were_collected_and_come_again_at_once_keep_their_invalidations() {
        for (int i = 0; i < 2_000; i++) {
            long began = tags.now();
            String name = "tag " + i % 7;
            assertThat(tags.of(Set.of(name), began)).isNotNull();
            tags.invalidate(name);
            if (i % 200 == 0) {
                System.gc();
            }
            assertThat(tags.of(Set.of(name), began).isOutdated()).isTrue();
            assertThat(tags.of(Set.of(name), tags.now()).isOutdated()).isFalse();
        }
    }

    @Test
    void invalidations_of_tags_that_are_not_held_need_no_memory() {
        for (int i = 0; i < 100_000; i++) {
            tags.invalidate("tenant " + i);
        }
        assertThat(tags.size()).isZero();
        assertThat(tags.now()).isEqualTo(100_000);
    }

    @Test
    void held_tags_are_bounded_by_the_entries_that_hold_them() {
        List<Stamp> held = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            held.add(tags.of(Set.of("tenant " + i % 10, "all"), tags.now()));
        }
        assertThat(tags.size()).isEqualTo(11);
        held.removeIf(stamp -> held.indexOf(stamp) > 0);
        collect(tags, 2);
        assertThat(held).hasSize(1);
    }
}
