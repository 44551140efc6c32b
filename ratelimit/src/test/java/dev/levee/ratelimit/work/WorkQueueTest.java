package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What becomes of items, in manual time. */
class WorkQueueTest {
    private final ManualTime time = new ManualTime();
    private final List<String> handled = new ArrayList<>();
    private final Map<String, Throwable> failing = new HashMap<>();

    private Object handle(String item, int attempt) throws Exception {
        handled.add(item + attempt);
        Throwable failure = failing.get(item);
        if (failure instanceof Exception exception) {
            throw exception;
        }
        if (failure instanceof Error error) {
            throw error;
        }
        return null;
    }

    private WorkQueue<String> queue(Consumer<WorkQueueConfig.Builder<String>> configure) {
        return queue(configure, time.environment());
    }

    private WorkQueue<String> queue(Consumer<WorkQueueConfig.Builder<String>> configure, Environment environment) {
        return WorkQueue.of(
                "mail",
                config -> configure.accept(config.workers(1).backoff(Backoff.fixed(Duration.ofSeconds(1)))),
                this::handle,
                environment);
    }

    static double metric(WorkQueue<?> queue, String metric) {
        double[] found = {Double.NaN};
        queue.measure((name, each, value) -> found[0] = each.equals(metric) ? value : found[0]);
        return found[0];
    }

    static void assertBalanced(WorkQueue<?> queue) {
        WorkCounts counts = queue.counts();
        assertThat(counts.done() + counts.deadLettered() + counts.returned() + counts.running() + counts.waiting())
                .as("%s", counts)
                .isEqualTo(counts.accepted());
    }

    @Test
    void items_are_handled_in_the_order_in_which_they_came() {
        WorkQueue<String> queue = queue(c -> c.capacity(3));
        assertThat(queue.offer("a")).isTrue();
        assertThat(queue.offer("b")).isTrue();
        queue.submit("c");
        assertThat(queue.offer("d")).isFalse();
        assertThat(queue.counts()).isEqualTo(new WorkCounts(3, 0, 0, 0, 0, 3));
        time.runReady();
        assertThat(handled).containsExactly("a1", "b1", "c1");
        assertThat(queue.counts()).isEqualTo(new WorkCounts(3, 3, 0, 0, 0, 0));
    }

    @Test
    void an_idle_queue_has_no_task_and_no_timer() {
        WorkQueue<String> queue = queue(c -> {});
        queue.offer("a");
        time.runReady();
        assertThat(time.pendingTasks()).isZero();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_full_queue_says_so_and_when_to_come_back() {
        WorkQueue<String> queue = queue(c -> c.capacity(2).workers(0));
        queue.submit("a");
        queue.submit("b");
        assertThatThrownBy(() -> queue.submit("c"))
                .isInstanceOfSatisfying(WorkRefusedException.class, refusal -> {
                    assertThat(refusal.reason()).isEqualTo(WorkRefusedException.Reason.FULL);
                    assertThat(refusal.policy()).isEqualTo("mail");
                    assertThat(refusal.retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
                })
                .hasMessage("queue \"mail\" is full: 2 items are accepted and have not ended");
        time.advance(Duration.ofMillis(200));
        queue.runNext();
        queue.submit("c");
        assertThatThrownBy(() -> queue.submit("d"))
                .isInstanceOfSatisfying(
                        WorkRefusedException.class,
                        refusal -> assertThat(refusal.retryAfterNanos())
                                .isEqualTo(Duration.ofMillis(200).toNanos()));
        assertThat(metric(queue, "work.refused")).isEqualTo(2);
    }

    @Test
    void without_workers_only_the_callers_of_run_next_handle_items() {
        WorkQueue<String> queue = queue(c -> c.workers(0));
        queue.offer("a");
        time.advance(Duration.ofDays(1));
        assertThat(handled).isEmpty();
        assertThat(queue.runNext()).isTrue();
        assertThat(queue.runNext()).isFalse();
        assertThat(handled).containsExactly("a1");
    }

    @Test
    void a_paused_queue_begins_nothing_until_it_is_resumed() {
        WorkQueue<String> queue = queue(c -> {});
        queue.pause();
        queue.offer("a");
        queue.offer("b");
        time.advance(Duration.ofHours(1));
        assertThat(queue.runNext()).isFalse();
        assertThat(handled).isEmpty();
        queue.resume();
        time.runReady();
        assertThat(handled).containsExactly("a1", "b1");
    }

    @Test
    void the_oldest_age_counts_from_the_acceptance_wherever_an_item_waits() {
        failing.put("a", new IOException());
        WorkQueue<String> queue = queue(c -> c.backoff(Backoff.fixed(Duration.ofMinutes(1))));
        assertThat(metric(queue, "work.oldest.age.nanos")).isZero();
        queue.pause();
        queue.offer("a");
        time.advance(Duration.ofSeconds(5));
        queue.offer("b");
        assertThat(metric(queue, "work.oldest.age.nanos")).isEqualTo(5e9);
        queue.resume();
        time.advance(Duration.ofSeconds(2));
        assertThat(metric(queue, "work.oldest.age.nanos")).isEqualTo(7e9);
        assertThat(metric(queue(c -> c.ages(false)), "work.oldest.age.nanos")).isNaN();
    }

    @Test
    void all_items_are_worked_off_when_the_clock_wraps_or_stands_still() {
        ManualTime wrapping = ManualTime.startingAt(Long.MAX_VALUE - 500_000_000);
        failing.put("a", new IOException());
        WorkQueue<String> queue = queue(c -> c.maxAttempts(3), wrapping.environment());
        queue.offer("a");
        queue.offer("b");
        wrapping.advance(Duration.ofSeconds(10));
        assertThat(handled).containsExactly("a1", "b1", "a2", "a3");
        Environment still = time.environment().toBuilder().clock(() -> 42).build();
        WorkQueue<String> standing = queue(c -> c.maxAttempts(2), still);
        standing.offer("a");
        time.advance(Duration.ofSeconds(10));
        assertThat(standing.counts().deadLettered()).isEqualTo(1);
    }

    @Nested
    class Retries {
        @Test
        void a_failure_is_tried_again_after_the_backoff_and_keeps_its_place() {
            failing.put("a", new IOException("down"));
            WorkQueue<String> queue = queue(c -> c.capacity(1));
            queue.offer("a");
            time.runReady();
            assertThat(queue.offer("b")).isFalse();
            assertThat(queue.counts()).isEqualTo(new WorkCounts(1, 0, 0, 0, 0, 1));
            time.advance(Duration.ofMillis(999));
            assertThat(handled).containsExactly("a1");
            failing.clear();
            time.advance(Duration.ofMillis(1));
            assertThat(handled).containsExactly("a1", "a2");
            assertThat(queue.counts()).isEqualTo(new WorkCounts(1, 1, 0, 0, 0, 0));
            assertThat(metric(queue, "work.retried")).isEqualTo(1);
        }

        @Test
        void other_items_go_on_while_one_waits_for_its_next_attempt() {
            failing.put("a", new IOException());
            WorkQueue<String> queue = queue(c -> {});
            queue.offer("a");
            queue.offer("b");
            time.runReady();
            assertThat(handled).containsExactly("a1", "b1");
        }

        @Test
        void after_the_last_attempt_an_item_is_a_dead_letter_with_its_story() {
            IOException down = new IOException("down");
            failing.put("a", down);
            WorkQueue<String> queue = queue(c -> c.maxAttempts(3));
            long before = time.nanoTime();
            queue.offer("a");
            time.advance(Duration.ofSeconds(10));
            assertThat(queue.deadLetters()).singleElement().satisfies(letter -> {
                assertThat(letter.item()).isEqualTo("a");
                assertThat(letter.attempts()).isEqualTo(3);
                assertThat(letter.cause()).isSameAs(down);
                assertThat(letter.verdict()).isEqualTo(Verdict.FAILURE);
                assertThat(letter.firstNanos()).isEqualTo(before);
                assertThat(letter.lastNanos() - before).isEqualTo(2_000_000_000L);
                assertThat(letter.toString()).doesNotContain("down");
            });
            assertBalanced(queue);
        }

        @Test
        void a_hint_is_waited_for_if_it_is_longer_than_the_backoff() {
            failing.put("a", new IOException());
            WorkQueue<String> queue = queue(c -> c.hintJitter(0)
                    .outcomes(rule -> rule.retryAfter(
                            (result, error) -> Duration.ofSeconds(7).toNanos())));
            queue.offer("a");
            time.advance(Duration.ofMillis(6_999));
            assertThat(handled).hasSize(1);
            time.advance(Duration.ofMillis(1));
            assertThat(handled).hasSize(2);
        }

        @Test
        void a_hint_that_is_too_long_or_says_do_not_retry_makes_a_dead_letter_at_once() {
            failing.put("a", new IOException());
            for (long hint :
                    new long[] {OutcomeRule.DO_NOT_RETRY, Duration.ofHours(2).toNanos()}) {
                WorkQueue<String> queue = queue(c -> c.outcomes(rule -> rule.retryAfter((result, error) -> hint)));
                queue.offer("a");
                time.runReady();
                assertThat(queue.deadLetters()).hasSize(1);
            }
        }

        @Test
        void what_the_rule_ignores_is_a_dead_letter_at_once() {
            failing.put("a", new IllegalArgumentException());
            WorkQueue<String> queue =
                    queue(c -> c.outcomes(r -> r.onError(IllegalArgumentException.class, Verdict.IGNORED)));
            queue.offer("a");
            time.runReady();
            assertThat(queue.deadLetters().get(0).attempts()).isEqualTo(1);
        }

        @Test
        void a_result_may_count_as_a_failure() {
            WorkQueue<String> queue = WorkQueue.of(
                    "mail",
                    c -> c.maxAttempts(1).outcomes(r -> r.onResult(Integer.class, s -> s == 503, Verdict.THROTTLED)),
                    (item, attempt) -> 503,
                    time.environment());
            queue.offer("a");
            time.runReady();
            assertThat(queue.deadLetters()).singleElement().satisfies(letter -> {
                assertThat(letter.cause()).isNull();
                assertThat(letter.verdict()).isEqualTo(Verdict.THROTTLED);
            });
        }

        @Test
        void a_refusal_by_a_policy_around_the_work_does_not_use_up_attempts() {
            Bulkhead bulkhead = Bulkhead.of("db", 1);
            long stamp = bulkhead.tryEnter(0);
            WorkQueue<String> queue = WorkQueue.of(
                    "mail",
                    c -> c.maxAttempts(1).backoff(Backoff.fixed(Duration.ofSeconds(1))),
                    (item, attempt) -> bulkhead.call(() -> handle(item, attempt)),
                    time.environment());
            queue.offer("a");
            time.advance(Duration.ofHours(1));
            assertThat(queue.counts().waiting()).isEqualTo(1);
            bulkhead.cancel(stamp, 0);
            time.advance(Duration.ofSeconds(1));
            assertThat(handled).containsExactly("a1");
            assertThat(queue.counts().done()).isEqualTo(1);
        }

        @Test
        void a_refusal_that_the_rule_names_as_no_failure_is_a_dead_letter() {
            Bulkhead bulkhead = Bulkhead.of("db", 1);
            bulkhead.tryEnter(0);
            WorkQueue<String> queue = WorkQueue.of(
                    "mail",
                    c -> c.outcomes(rule -> rule.onError(RefusedException.class, Verdict.IGNORED)),
                    (item, attempt) -> bulkhead.call(() -> handle(item, attempt)),
                    time.environment());
            queue.offer("a");
            time.runReady();
            assertThat(queue.deadLetters().get(0).attempts()).isZero();
        }

        @Test
        void events_say_what_happened() {
            RecordingListener listener = new RecordingListener();
            failing.put("a", new IOException());
            WorkQueue<String> queue = queue(
                    c -> c.maxAttempts(2).capacity(1),
                    time.environment().toBuilder().listener(listener).build());
            queue.offer("a");
            queue.offer("b");
            time.advance(Duration.ofSeconds(1));
            assertThat(listener.events())
                    .containsExactly(
                            "queue mail refused",
                            "queue mail FAILURE after PT0S",
                            "queue mail attempt 2 after PT1S",
                            "queue mail FAILURE after PT0S");
        }
    }

    @Nested
    class Stages {
        private final Map<String, CompletableFuture<Object>> stages = new HashMap<>();

        private WorkQueue<String> queue(Consumer<WorkQueueConfig.Builder<String>> configure) {
            return WorkQueue.of(
                    "mail",
                    config -> configure.accept(config.backoff(Backoff.fixed(Duration.ofSeconds(1)))),
                    (item, attempt) -> stages.computeIfAbsent(item + attempt, ignored -> new CompletableFuture<>()),
                    time.environment());
        }

        @Test
        void an_item_runs_until_its_stage_has_ended_and_holds_its_worker_but_no_thread() {
            WorkQueue<String> queue = queue(c -> c.workers(2));
            queue.offer("a");
            queue.offer("b");
            queue.offer("c");
            time.runReady();
            assertThat(stages).containsOnlyKeys("a1", "b1");
            assertThat(queue.counts()).isEqualTo(new WorkCounts(3, 0, 0, 0, 2, 1));
            stages.get("a1").complete("done");
            assertThat(stages).hasSize(2);
            time.runReady();
            assertThat(stages).containsKey("c1");
            stages.get("b1").completeExceptionally(new IOException());
            assertThat(queue.counts()).isEqualTo(new WorkCounts(3, 1, 0, 0, 1, 1));
            time.advance(Duration.ofSeconds(1));
            assertThat(stages).containsKey("b2");
        }

        @Test
        void a_stage_that_has_ended_already_is_as_good_as_a_result() {
            stages.put("a1", CompletableFuture.failedFuture(new IOException()));
            stages.put("b1", CompletableFuture.completedFuture(null));
            WorkQueue<String> queue = queue(c -> c.workers(1).maxAttempts(1));
            queue.offer("a");
            queue.offer("b");
            time.runReady();
            assertThat(queue.counts()).isEqualTo(new WorkCounts(2, 1, 1, 0, 0, 0));
            assertThat(queue.deadLetters().get(0).cause()).isInstanceOf(IOException.class);
        }

        @Test
        void a_caller_of_run_next_does_not_wait_for_the_stage() {
            WorkQueue<String> queue = queue(c -> c.workers(0));
            queue.offer("a");
            assertThat(queue.runNext()).isTrue();
            assertThat(queue.counts().running()).isEqualTo(1);
            stages.get("a1").complete(null);
            assertThat(queue.counts().done()).isEqualTo(1);
        }
    }

    @Nested
    class DeadLetters {
        private final WorkQueue<String> queue =
                queue(c -> c.maxAttempts(1).maxDeadLetters(2).capacity(2));

        private void die(String... items) {
            for (String item : items) {
                failing.put(item, new IOException(item));
                queue.offer(item);
                time.runReady();
            }
        }

        @Test
        void the_oldest_is_dropped_and_counted_when_there_are_too_many() {
            die("a", "b", "c");
            assertThat(queue.deadLetters()).extracting(DeadLetter::item).containsExactly("b", "c");
            assertThat(metric(queue, "work.dead")).isEqualTo(3);
            assertThat(metric(queue, "work.dead.kept")).isEqualTo(2);
            assertThat(metric(queue, "work.dead.dropped")).isEqualTo(1);
            assertBalanced(queue);
        }

        @Test
        void one_is_replayed_as_a_new_item_once() {
            die("a");
            failing.clear();
            DeadLetter<String> letter = queue.deadLetters().get(0);
            assertThat(queue.replay(letter)).isTrue();
            assertThat(queue.replay(letter)).isFalse();
            assertThat(queue.discard(letter)).isFalse();
            time.runReady();
            assertThat(handled).containsExactly("a1", "a1");
            assertThat(queue.counts()).isEqualTo(new WorkCounts(2, 1, 1, 0, 0, 0));
        }

        @Test
        void a_replay_needs_a_place_and_changes_nothing_without_one() {
            die("a", "b");
            queue.pause();
            queue.offer("x");
            assertThat(queue.replayAll()).isEqualTo(1);
            assertThat(queue.deadLetters()).extracting(DeadLetter::item).containsExactly("b");
            assertThat(queue.replay(queue.deadLetters().get(0))).isFalse();
            assertThat(queue.deadLetters()).hasSize(1);
        }

        @Test
        void they_can_be_discarded() {
            die("a", "b");
            assertThat(queue.discard(queue.deadLetters().get(0))).isTrue();
            assertThat(queue.deadLetters()).extracting(DeadLetter::item).containsExactly("b");
            assertThat(queue.discardAll()).isEqualTo(1);
            assertThat(queue.deadLetters()).isEmpty();
            assertBalanced(queue);
        }

        @Test
        void none_are_kept_if_none_are_wanted() {
            failing.put("a", new IOException());
            WorkQueue<String> none = queue(c -> c.maxAttempts(1).maxDeadLetters(0));
            none.offer("a");
            time.runReady();
            assertThat(none.deadLetters()).isEmpty();
            assertThat(metric(none, "work.dead.dropped")).isEqualTo(1);
            assertBalanced(none);
        }
    }
}
