package dev.levee.ratelimit.work;

import static dev.levee.ratelimit.work.WorkQueueTest.assertBalanced;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** An order for each key. */
class OrderedWorkQueueTest {
    private final ManualTime time = new ManualTime();
    private final List<String> handled = new ArrayList<>();
    private final Map<String, Integer> failures = new HashMap<>();
    private final Map<String, CompletableFuture<Object>> stages = new HashMap<>();

    private WorkQueue<String> queue() {
        return WorkQueue.of(
                "mail",
                c -> c.workers(4)
                        .maxAttempts(3)
                        .backoff(Backoff.fixed(Duration.ofSeconds(1)))
                        .orderedBy(item -> item.charAt(0)),
                (item, attempt) -> {
                    handled.add(item);
                    if (failures.merge(item, -1, Integer::sum) >= 0) {
                        throw new IOException();
                    }
                    return stages.get(item);
                },
                time.environment());
    }

    private static int keys(WorkQueue<String> queue) {
        return ((BoundedWorkQueue<String>) queue).keys();
    }

    @Test
    void items_of_one_key_wait_for_the_retries_of_the_one_before_and_others_go_on() {
        WorkQueue<String> queue = queue();
        failures.put("a1", 2);
        List.of("a1", "a2", "b1", "a3", "c1", "b2").forEach(queue::submit);
        time.runReady();
        assertThat(handled).containsExactly("a1", "b1", "c1", "b2");
        assertThat(queue.counts()).isEqualTo(new WorkCounts(6, 3, 0, 0, 0, 3));
        time.advance(Duration.ofSeconds(2));
        assertThat(handled).containsExactly("a1", "b1", "c1", "b2", "a1", "a1", "a2", "a3");
        assertThat(keys(queue)).isZero();
        assertBalanced(queue);
    }

    @Test
    void the_next_one_begins_when_the_one_before_has_become_a_dead_letter() {
        WorkQueue<String> queue = queue();
        failures.put("a1", 3);
        queue.submit("a1");
        queue.submit("a2");
        time.advance(Duration.ofSeconds(2));
        assertThat(handled).containsExactly("a1", "a1", "a1", "a2");
        assertThat(queue.deadLetters()).hasSize(1);
        assertThat(queue.replayAll()).isEqualTo(1);
        time.runReady();
        assertThat(handled).endsWith("a2", "a1");
    }

    @Test
    void a_stage_keeps_its_key_until_it_has_ended() {
        WorkQueue<String> queue = queue();
        stages.put("a1", new CompletableFuture<>());
        queue.submit("a1");
        queue.submit("a2");
        queue.submit("b1");
        time.runReady();
        assertThat(handled).containsExactly("a1", "b1");
        stages.get("a1").complete(null);
        time.runReady();
        assertThat(handled).containsExactly("a1", "b1", "a2");
    }

    @Test
    void the_oldest_age_counts_what_stands_behind_another_one() {
        WorkQueue<String> queue = queue();
        stages.put("a1", new CompletableFuture<>());
        queue.submit("a1");
        queue.submit("a2");
        time.advance(Duration.ofSeconds(3));
        assertThat(WorkQueueTest.metric(queue, "work.oldest.age.nanos")).isEqualTo(3e9);
        stages.get("a1").complete(null);
    }

    @Test
    void no_key_is_held_without_items() {
        WorkQueue<String> queue = queue();
        for (char key = 'A'; key < 'z'; key++) {
            queue.submit(key + "1");
        }
        time.runReady();
        assertThat(keys(queue)).isZero();
    }

    @Test
    void a_key_that_cannot_be_had_is_the_callers_error_and_takes_no_place() {
        WorkQueue<String> queue = WorkQueue.of(
                "mail",
                c -> c.capacity(1).orderedBy(item -> item.isEmpty() ? null : item.charAt(1)),
                (item, attempt) -> null,
                time.environment());
        assertThatThrownBy(() -> queue.offer(""))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("key");
        assertThatThrownBy(() -> queue.submit("x")).isInstanceOf(StringIndexOutOfBoundsException.class);
        assertThat(queue.submitAsync("x")).isCompletedExceptionally();
        assertThat(queue.offer("xy")).isTrue();
    }

    @Test
    void keys_with_hostile_methods_disturb_no_others() {
        class Hostile {
            @Override
            public boolean equals(Object other) {
                throw new IllegalStateException();
            }

            @Override
            public int hashCode() {
                return 7;
            }
        }
        List<String> done = new ArrayList<>();
        WorkQueue<String> queue = WorkQueue.of(
                "mail",
                c -> c.capacity(10).orderedBy(item -> item.equals("x") ? new Hostile() : (Object) 7),
                (item, attempt) -> done.add(item),
                time.environment());
        List.of("x", "7", "x", "7").forEach(queue::submit);
        time.runReady();
        assertThat(done).hasSize(4);
        assertThat(keys(queue)).isZero();
    }

    @Test
    void a_close_gives_back_the_followers_of_an_item_that_comes_too_late_in_their_order() {
        WorkQueue<String> queue = queue();
        failures.put("a1", 3);
        List.of("a1", "a2", "b1", "a3").forEach(queue::submit);
        time.runReady();
        WorkReport<String> report = queue.close(Duration.ofMillis(999));
        assertThat(report.returned()).containsExactly("a1", "a2", "a3");
        assertThat(report.done()).isEqualTo(1);
        assertBalanced(queue);
    }
}
