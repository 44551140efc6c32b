package dev.levee.ratelimit.work;

import static dev.levee.ratelimit.work.WorkQueueTest.assertBalanced;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The end of a queue, and its report. */
class ClosedWorkQueueTest {
    private final ManualTime time = new ManualTime();
    private final Environment threads =
            time.environment().toBuilder().executor(time::start).build();
    private final AtomicReference<WorkReport<String>> report = new AtomicReference<>();

    private WorkQueue<String> queue(int workers, WorkHandler<String> handler) {
        return WorkQueue.of(
                "mail",
                c -> c.workers(workers).maxAttempts(3).backoff(Backoff.fixed(Duration.ofSeconds(5))),
                handler,
                threads);
    }

    private void close(WorkQueue<String> queue, Duration timeout) {
        time.start(() -> report.set(queue.close(timeout)));
    }

    @Test
    void a_close_lets_the_workers_go_on_and_ends_when_everything_has_ended() {
        WorkQueue<String> queue = queue(1, (item, attempt) -> {
            threads.scheduler().sleep(1_000_000_000);
            return null;
        });
        List.of("a", "b", "c").forEach(queue::submit);
        close(queue, Duration.ofMinutes(1));
        time.advance(Duration.ofSeconds(2));
        assertThat(report).hasNullValue();
        time.advance(Duration.ofSeconds(1));
        assertThat(report.get()).isEqualTo(new WorkReport<>(3, 0, List.of(), List.of()));
    }

    @Test
    void at_the_deadline_what_waits_is_returned_and_what_runs_is_interrupted() {
        AtomicReference<Throwable> seen = new AtomicReference<>();
        WorkQueue<String> queue = queue(1, (item, attempt) -> {
            try {
                threads.scheduler().sleep(3_000_000_000L);
            } catch (InterruptedException interrupt) {
                seen.set(interrupt);
                throw interrupt;
            }
            return null;
        });
        List.of("a", "b", "c", "d").forEach(queue::submit);
        close(queue, Duration.ofSeconds(5));
        time.advance(Duration.ofSeconds(5));
        assertThat(report.get()).isEqualTo(new WorkReport<>(1, 0, List.of("c", "d"), List.of("b")));
        time.runReady();
        assertThat(seen.get()).isInstanceOf(InterruptedException.class);
        assertThat(queue.deadLetters()).extracting(DeadLetter::item).containsExactly("b");
        assertThat(queue.counts()).isEqualTo(new WorkCounts(4, 1, 1, 2, 0, 0));
    }

    @Test
    void what_is_done_after_the_deadline_all_the_same_is_counted_as_done() {
        CompletableFuture<Object> stage = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                return false;
            }
        };
        WorkQueue<String> queue = queue(1, (item, attempt) -> stage);
        queue.submit("a");
        time.runReady();
        assertThat(queue.close(Duration.ZERO).unfinished()).containsExactly("a");
        stage.complete(null);
        assertThat(queue.counts()).isEqualTo(new WorkCounts(1, 1, 0, 0, 0, 0));
    }

    @Test
    void a_stage_is_cancelled_at_the_deadline() {
        CompletableFuture<Object> stage = new CompletableFuture<>();
        WorkQueue<String> queue = queue(1, (item, attempt) -> stage);
        queue.submit("a");
        time.runReady();
        assertThat(queue.close(Duration.ZERO).unfinished()).containsExactly("a");
        assertThat(stage).isCancelled();
        assertBalanced(queue);
    }

    @Test
    void an_item_whose_next_attempt_comes_in_time_is_waited_for_and_another_one_is_not() {
        WorkQueue<String> queue = queue(1, (item, attempt) -> {
            if (attempt == 1) {
                throw new IOException();
            }
            return null;
        });
        queue.submit("a");
        time.advance(Duration.ofSeconds(2));
        queue.submit("b");
        time.runReady();
        close(queue, Duration.ofSeconds(4));
        time.advance(Duration.ofSeconds(3));
        assertThat(report.get()).isEqualTo(new WorkReport<>(1, 0, List.of("b"), List.of()));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_paused_queue_returns_what_waits_at_once_and_waits_for_what_runs() {
        WorkQueue<String> queue = queue(1, (item, attempt) -> {
            threads.scheduler().sleep(1_000_000_000);
            return null;
        });
        queue.submit("a");
        queue.submit("b");
        time.runReady();
        queue.pause();
        close(queue, Duration.ofMinutes(1));
        time.advance(Duration.ofSeconds(1));
        assertThat(report.get()).isEqualTo(new WorkReport<>(1, 0, List.of("b"), List.of()));
    }

    @Test
    void an_interrupt_of_the_closing_thread_is_its_deadline_and_is_kept() {
        WorkQueue<String> queue = queue(0, (item, attempt) -> null);
        queue.submit("a");
        Thread.currentThread().interrupt();
        WorkReport<String> own = queue.close(Deadline.FOREVER);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(own.returned()).containsExactly("a");
    }

    @Test
    void a_second_close_may_be_earlier_and_all_get_the_same_report() {
        WorkQueue<String> queue = queue(0, (item, attempt) -> null);
        queue.submit("a");
        close(queue, Deadline.FOREVER);
        time.runReady();
        WorkReport<String> second = queue.close(Deadline.after(Duration.ZERO, threads.clock()));
        time.runReady();
        assertThat(report.get()).isSameAs(second);
        assertThat(queue.close(Duration.ofDays(1))).isSameAs(second);
        assertThat(second.returned()).containsExactly("a");
    }

    @Test
    void a_handler_that_closes_its_own_queue_is_unfinished() {
        AtomicReference<WorkQueue<String>> own = new AtomicReference<>();
        own.set(queue(
                1, (item, attempt) -> report.updateAndGet(none -> own.get().close(Duration.ZERO))));
        own.get().pause();
        own.get().submit("a");
        own.get().submit("b");
        own.get().resume();
        time.runReady();
        assertThat(report.get()).isEqualTo(new WorkReport<>(0, 0, List.of("b"), List.of("a")));
        assertThat(own.get().counts()).isEqualTo(new WorkCounts(2, 1, 0, 1, 0, 0));
    }

    @Test
    void dead_letters_can_still_be_listed_and_not_be_replayed() {
        WorkQueue<String> queue = WorkQueue.of(
                "mail",
                c -> c.maxAttempts(1),
                (item, attempt) -> {
                    throw new IOException();
                },
                threads);
        queue.submit("a");
        time.runReady();
        assertThat(queue.close(Duration.ZERO).deadLettered()).isEqualTo(1);
        assertThat(queue.deadLetters()).hasSize(1);
        assertThat(queue.replayAll()).isZero();
        assertThat(queue.deadLetters()).hasSize(1);
    }

    /** The interrupt of a close is for the item, and not for what the thread of a pool does next. */
    @Test
    void an_interrupt_is_not_left_to_the_next_task_of_the_thread() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            WorkQueue<String> queue = WorkQueue.of(
                    "mail",
                    c -> c.workers(1),
                    (item, attempt) -> {
                        begun.countDown();
                        while (go.getCount() != 0) {
                            Thread.onSpinWait(); // notices no interrupt
                        }
                        return null;
                    },
                    Environment.builder().executor(pool).build());
            queue.submit("a");
            begun.await();
            assertThat(queue.close(Duration.ZERO).unfinished()).containsExactly("a");
            go.countDown();
            assertThat(pool.submit(Thread::interrupted).get(10, TimeUnit.SECONDS))
                    .isFalse();
            assertThat(queue.counts().done()).isEqualTo(1);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void an_interrupt_is_taken_back_from_a_caller_of_run_next_whose_item_has_not_noticed_it() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AtomicReference<Boolean> flag = new AtomicReference<>();
        WorkQueue<String> queue = WorkQueue.of("mail", c -> c.workers(0), (item, attempt) -> {
            begun.countDown();
            while (go.getCount() != 0) {
                Thread.onSpinWait(); // notices no interrupt
            }
            return null;
        });
        queue.submit("a");
        Thread caller = new Thread(() -> {
            queue.runNext();
            flag.set(Thread.currentThread().isInterrupted());
        });
        caller.start();
        begun.await();
        queue.close(Duration.ZERO);
        assertThat(caller.isInterrupted()).isTrue();
        go.countDown();
        caller.join();
        assertThat(flag).hasValue(false);
    }
}
