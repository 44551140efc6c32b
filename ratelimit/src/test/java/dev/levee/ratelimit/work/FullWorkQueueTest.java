package dev.levee.ratelimit.work;

import static dev.levee.ratelimit.work.WorkQueueTest.assertBalanced;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A full queue blocks, refuses, or lets the caller run; it never grows. */
class FullWorkQueueTest {
    private final ManualTime time = new ManualTime();
    private final List<String> handled = Collections.synchronizedList(new ArrayList<>());

    private WorkQueue<String> queue(WhenFull whenFull, int capacity) {
        return WorkQueue.of(
                "mail",
                c -> c.capacity(capacity).workers(0).whenFull(whenFull).maxWait(Duration.ofSeconds(10)),
                (item, attempt) -> handled.add(item),
                time.environment());
    }

    private static <T> WorkQueue<T> filled(WorkQueue<T> queue, List<T> items) {
        items.forEach(queue::submit);
        return queue;
    }

    @Nested
    class Block {
        private final WorkQueue<String> queue = filled(queue(WhenFull.BLOCK, 1), List.of("a"));
        private final AtomicReference<Throwable> thrown = new AtomicReference<>();

        private Thread submitting(String item) {
            Thread thread = time.start(() -> {
                try {
                    queue.submit(item);
                } catch (Throwable refused) {
                    thrown.set(refused);
                }
            });
            time.runReady();
            return thread;
        }

        @Test
        void a_caller_waits_until_there_is_a_place() {
            submitting("b");
            assertThat(queue.counts().accepted()).isEqualTo(1);
            queue.runNext();
            assertThat(queue.counts().accepted()).isEqualTo(2);
            time.runReady();
            assertThat(thrown).hasNullValue();
            assertThat(time.sleepers()).isZero();
        }

        @Test
        void those_that_wait_are_served_in_their_order_and_not_overtaken() {
            submitting("b");
            submitting("c");
            assertThat(queue.offer("x")).isFalse();
            for (int i = 0; i < 3; i++) {
                queue.runNext();
            }
            assertThat(handled).containsExactly("a", "b", "c");
        }

        @Test
        void the_longest_wait_ends_in_a_refusal() {
            submitting("b");
            time.advance(Duration.ofMillis(9_999));
            assertThat(thrown).hasNullValue();
            time.advance(Duration.ofMillis(1));
            assertThat(thrown.get()).isInstanceOf(WorkRefusedException.class);
            queue.runNext();
            assertThat(queue.counts()).isEqualTo(new WorkCounts(1, 1, 0, 0, 0, 0));
        }

        @Test
        void the_deadline_of_the_call_ends_it_earlier() {
            time.start(() -> CallContext.current()
                    .withDeadline(Deadline.after(
                            Duration.ofSeconds(2), time.environment().clock()))
                    .run(() -> {
                        try {
                            queue.submit("b");
                        } catch (WorkRefusedException refused) {
                            thrown.set(refused);
                        }
                    }));
            time.advance(Duration.ofSeconds(2));
            assertThat(thrown.get()).isInstanceOf(WorkRefusedException.class);
        }

        @Test
        void an_interrupt_ends_the_wait_and_the_flag_is_set_again() {
            AtomicReference<Boolean> flag = new AtomicReference<>();
            Thread thread = time.start(() -> {
                try {
                    queue.submit("b");
                } catch (InterruptedWaitException interrupted) {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            time.runReady();
            thread.interrupt();
            time.runReady();
            assertThat(flag).hasValue(true);
            queue.runNext();
            assertThat(queue.counts().accepted()).isEqualTo(1);
        }

        @Test
        void a_waiter_that_goes_lets_the_next_one_move_up() {
            Thread first = submitting("b");
            submitting("c");
            first.interrupt();
            time.runReady();
            queue.runNext();
            queue.runNext();
            assertThat(handled).containsExactly("a", "c");
        }

        @Test
        void a_close_refuses_those_that_wait() {
            submitting("b");
            WorkReport<String> report = queue.close(Duration.ZERO);
            time.runReady();
            assertThat(report.returned()).containsExactly("a");
            assertThat(thrown.get())
                    .isInstanceOfSatisfying(
                            WorkRefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(WorkRefusedException.Reason.CLOSED));
            assertThatThrownBy(() -> queue.submit("c")).isInstanceOf(WorkRefusedException.class);
            assertThat(queue.offer("c")).isFalse();
        }
    }

    @Nested
    class Asynchronous {
        private final WorkQueue<String> queue = filled(queue(WhenFull.BLOCK, 1), List.of("a"));

        @Test
        void a_future_completes_when_there_is_a_place_and_holds_no_thread() throws Exception {
            CompletableFuture<Void> future = queue.submitAsync("b");
            assertThat(future).isNotDone();
            assertThat(time.sleepers()).isZero();
            queue.runNext();
            time.runReady();
            assertThat(future).isCompleted();
            assertThat(time.pendingTimers()).isZero();
            assertThat(queue.submitAsync("c")).isNotDone();
            queue.runNext();
            queue.runNext();
            assertThat(handled).containsExactly("a", "b", "c");
        }

        @Test
        void it_fails_when_its_time_is_over_and_takes_its_item_back() {
            CompletableFuture<Void> future = queue.submitAsync("b");
            time.advance(Duration.ofSeconds(10));
            assertThatThrownBy(future::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(WorkRefusedException.class);
            queue.runNext();
            assertThat(queue.runNext()).isFalse();
        }

        @Test
        void a_cancel_takes_the_item_back_unless_it_was_accepted() {
            WorkQueue<String> queue = filled(queue(WhenFull.BLOCK, 3), List.of("a", "a", "a"));
            CompletableFuture<Void> taken = queue.submitAsync("b");
            CompletableFuture<Void> cancelled = queue.submitAsync("c");
            CompletableFuture<Void> failed = queue.submitAsync("d");
            assertThat(cancelled.cancel(true)).isTrue();
            assertThat(failed.completeExceptionally(new IOException())).isTrue();
            queue.runNext();
            assertThat(taken.cancel(true)).isFalse();
            assertThat(taken.complete(null)).isFalse();
            time.runReady();
            assertThat(taken).isCompleted();
            while (queue.runNext()) {}
            assertThat(handled).containsExactly("a", "a", "a", "b");
        }

        @Test
        void as_many_as_the_capacity_wait_and_no_more() {
            CompletableFuture<Void> waits = queue.submitAsync("b");
            assertThat(queue.submitAsync("c")).isCompletedExceptionally();
            waits.cancel(false);
            assertThat(queue.submitAsync("d")).isNotDone();
        }

        @Test
        void with_refuse_it_fails_at_once_and_with_room_it_is_done_at_once() {
            WorkQueue<String> refusing = queue(WhenFull.REFUSE, 1);
            assertThat(refusing.submitAsync("a")).isCompleted();
            assertThat(refusing.submitAsync("b")).isCompletedExceptionally();
            refusing.close(Duration.ZERO);
            assertThat(refusing.submitAsync("b")).isCompletedExceptionally();
        }

        @Test
        void a_close_fails_those_that_wait() {
            CompletableFuture<Void> future = queue.submitAsync("b");
            queue.close(Duration.ZERO);
            time.runReady();
            assertThatThrownBy(future::get).hasMessageContaining("is closed");
        }
    }

    @Nested
    class CallerRuns {
        private final List<Thread> threads = new ArrayList<>();
        private final AtomicInteger failures = new AtomicInteger();

        private final WorkQueue<String> queue = WorkQueue.of(
                "mail",
                c -> c.capacity(1)
                        .workers(0)
                        .whenFull(WhenFull.CALLER_RUNS)
                        .maxAttempts(3)
                        .backoff(Backoff.fixed(Duration.ofSeconds(1))),
                (item, attempt) -> {
                    threads.add(Thread.currentThread());
                    handled.add(item + attempt);
                    if (failures.getAndDecrement() > 0) {
                        throw new IOException();
                    }
                    return null;
                },
                time.environment());

        @Test
        void the_caller_handles_its_own_item_and_the_queue_does_not_grow() {
            filled(queue, List.of("a"));
            queue.submit("b");
            assertThat(handled).containsExactly("b1");
            assertThat(threads).containsExactly(Thread.currentThread());
            assertThat(queue.counts()).isEqualTo(new WorkCounts(2, 1, 0, 0, 0, 1));
            assertThat(queue.offer("c")).isFalse();
        }

        @Test
        void it_makes_the_further_attempts_too() {
            filled(queue, List.of("a"));
            failures.set(2);
            Thread caller = time.start(() -> queue.submit("b"));
            time.advance(Duration.ofSeconds(1));
            assertThat(queue.counts()).isEqualTo(new WorkCounts(2, 0, 0, 0, 0, 2));
            time.advance(Duration.ofSeconds(1));
            assertThat(handled).containsExactly("b1", "b2", "b3");
            assertThat(threads).containsOnly(caller);
            assertThat(queue.counts()).isEqualTo(new WorkCounts(2, 1, 0, 0, 0, 1));
            assertThat(time.sleepers()).isZero();
        }

        @Test
        void an_interrupt_of_its_wait_makes_the_item_a_dead_letter_and_is_kept() {
            filled(queue, List.of("a"));
            failures.set(2);
            AtomicReference<Boolean> flag = new AtomicReference<>();
            Thread caller = time.start(() -> {
                queue.submit("b");
                flag.set(Thread.currentThread().isInterrupted());
            });
            time.runReady();
            caller.interrupt();
            time.runReady();
            assertThat(flag).hasValue(true);
            assertThat(queue.deadLetters()).extracting(DeadLetter::item).containsExactly("b");
            assertBalanced(queue);
        }

        @Test
        void a_close_gives_back_what_waits_for_a_further_attempt_and_lets_the_caller_go() {
            filled(queue, List.of("a"));
            failures.set(2);
            time.start(() -> queue.submit("b"));
            time.runReady();
            assertThat(queue.close(Duration.ZERO).returned()).containsExactlyInAnyOrder("a", "b");
            time.runReady();
            assertThat(time.sleepers()).isZero();
            assertBalanced(queue);
        }

        @Test
        void it_waits_for_the_stage_of_its_item() {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            WorkQueue<String> staged = WorkQueue.of(
                    "mail",
                    c -> c.capacity(1).workers(0).whenFull(WhenFull.CALLER_RUNS),
                    (item, attempt) -> stage,
                    time.environment());
            staged.submit("a");
            time.start(() -> staged.submit("b"));
            time.runReady();
            assertThat(time.sleepers()).isEqualTo(1);
            stage.complete(null);
            time.runReady();
            assertThat(time.sleepers()).isZero();
            assertThat(staged.counts().done()).isEqualTo(1);
        }

        @Test
        void a_paused_queue_refuses() {
            filled(queue, List.of("a"));
            queue.pause();
            assertThatThrownBy(() -> queue.submit("b")).isInstanceOf(WorkRefusedException.class);
        }

        @Test
        void an_item_whose_key_has_others_is_refused_because_it_must_not_overtake_them() {
            WorkQueue<String> ordered = WorkQueue.of(
                    "mail",
                    c -> c.capacity(2).workers(0).whenFull(WhenFull.CALLER_RUNS).orderedBy(item -> item.charAt(0)),
                    (item, attempt) -> handled.add(item),
                    time.environment());
            filled(ordered, List.of("a1", "b1"));
            assertThatThrownBy(() -> ordered.submit("a2"))
                    .isInstanceOfSatisfying(
                            WorkRefusedException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(WorkRefusedException.Reason.KEY_BUSY));
            ordered.submit("c1");
            assertThat(handled).containsExactly("c1");
            while (ordered.runNext()) {}
            assertThat(handled).containsExactly("c1", "a1", "b1");
            assertBalanced(ordered);
        }
    }
}
