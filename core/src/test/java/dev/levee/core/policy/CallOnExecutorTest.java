package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocking operations as asynchronous calls, on an executor of the caller's choice. */
class CallOnExecutorTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final Bulkhead bulkhead = Bulkhead.of("b", 2, environment);
    private final CountingGate inside = new CountingGate(bulkhead);
    private final CountingGate outside = new CountingGate(Bulkhead.of("outside", 99, environment));
    private final Timeout timeout = Timeout.of("t", SECOND, environment);
    private final List<String> events = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void everyPermitIsBack() {
        time.advance(Duration.ofHours(1));
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(outside.exited()).isEqualTo(outside.entered());
        assertThat(time.pendingTimers()).isZero();
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        return seen[0];
    }

    private String sleep(Duration duration) throws InterruptedException {
        try {
            environment.scheduler().sleep(duration.toNanos());
        } catch (InterruptedException interrupt) {
            events.add("interrupted@" + time.elapsed());
            throw interrupt;
        }
        return "slept";
    }

    private String sleepStubbornly(Duration duration) {
        long start = time.nanoTime();
        for (long left = duration.toNanos(); left > 0; left = duration.toNanos() - (time.nanoTime() - start)) {
            try {
                sleep(Duration.ofNanos(left));
            } catch (InterruptedException ignored) {
                // it goes on
            }
        }
        events.add("ended@" + time.elapsed());
        return "slept";
    }

    @Test
    void results_and_checked_failures_come_through_as_they_are_from_a_policy_and_a_pipeline() {
        IOException disk = new IOException("disk");
        for (Policy policy : List.of(bulkhead, Pipeline.of(), Pipeline.of(outside, timeout, inside))) {
            CompletableFuture<String> future = policy.callAsync(time::start, () -> "yes");
            CompletableFuture<String> failing = policy.callAsync(time::start, () -> {
                throw disk;
            });
            time.runReady();
            assertThat(future).isCompletedWithValue("yes");
            assertThat(failureOf(failing)).isSameAs(disk);
        }
    }

    @Test
    void each_attempt_is_a_task_in_the_context_of_the_call() {
        List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
        Retry retry = Retry.of("r", config -> config.backoff(Backoff.fixed(SECOND)), environment);
        CompletableFuture<String> future = Pipeline.of(Timeout.of("all", Duration.ofMinutes(1), environment), retry)
                .callAsync(time::start, () -> {
                    attempts.add(CallContext.current().attempt());
                    assertThat(CallContext.current().deadline()).isNotNull();
                    if (attempts.size() < 3) {
                        throw new IOException("disk");
                    }
                    return "third";
                });
        time.advance(Duration.ofSeconds(2));
        assertThat(future).isCompletedWithValue("third");
        assertThat(attempts).containsExactly(1, 2, 3);
    }

    @Test
    void a_timeout_interrupts_the_work_and_its_permit_is_held_until_it_has_returned() {
        CompletableFuture<String> future = Pipeline.of(outside, timeout, inside)
                .callAsync(time::start, () -> sleepStubbornly(Duration.ofSeconds(5)));
        time.advance(SECOND);
        assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
        assertThat(events).containsExactly("interrupted@PT1S");
        assertThat(bulkhead.inFlight()).as("it goes on").isOne();
        time.advance(Duration.ofSeconds(4));
        assertThat(events).containsExactly("interrupted@PT1S", "ended@PT5S");
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(inside.verdicts()).containsExactly(Verdict.FAILURE);
        assertThat(outside.verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void never_more_run_than_the_bulkhead_allows_however_many_time_out() {
        int[] runs = new int[2];
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 2; i++) {
                Pipeline.of(timeout, inside).callAsync(time::start, () -> {
                    synchronized (runs) {
                        runs[1] = Math.max(runs[1], ++runs[0]);
                    }
                    sleepStubbornly(Duration.ofSeconds(7));
                    synchronized (runs) {
                        runs[0]--;
                    }
                    return "x";
                });
            }
            time.advance(Duration.ofSeconds(2));
        }
        assertThat(runs[1]).isEqualTo(2);
    }

    @Test
    void a_cancel_interrupts_the_work_and_is_no_evidence() {
        CompletableFuture<String> future =
                Pipeline.of(outside, inside).callAsync(time::start, () -> sleep(Duration.ofSeconds(5)));
        time.advance(SECOND);
        future.cancel(true);
        time.runReady();
        assertThat(events).containsExactly("interrupted@PT1S");
        assertThat(inside.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Test
    void a_cancel_that_must_not_interrupt_does_not_whatever_stands_in_between() {
        Retry retry = Retry.of("r", config -> {}, environment);
        Hedge hedge = Hedge.of("h", config -> config.delay(Duration.ofMinutes(1)), environment);
        Fallback fallback = Fallback.value("f", "s", environment);
        Timeout patient = Timeout.of("t", Duration.ofMinutes(1), environment);
        Pipeline all = Pipeline.of(fallback, retry, patient, hedge, inside);
        CompletableFuture<String> future = all.callAsync(time::start, () -> sleep(Duration.ofSeconds(5)));
        time.advance(SECOND);
        assertThat(future.cancel(false)).isTrue();
        time.advance(Duration.ofSeconds(3));
        assertThat(bulkhead.inFlight()).as("held until it has returned").isOne();
        time.advance(SECOND);
        assertThat(events).as("not interrupted").isEmpty();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(inside.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Test
    void the_flag_of_a_cancel_reaches_a_stage_of_another_library() {
        List<Boolean> flags = new ArrayList<>();
        for (boolean flag : new boolean[] {true, false}) {
            Pipeline.of(outside, timeout, inside)
                    .callAsync(() -> new CompletableFuture<String>() {
                        @Override
                        public boolean cancel(boolean mayInterruptIfRunning) {
                            flags.add(mayInterruptIfRunning);
                            return super.cancel(mayInterruptIfRunning);
                        }
                    })
                    .cancel(flag);
        }
        assertThat(flags).containsExactly(true, false);
    }

    @Test
    void an_interrupt_is_never_left_to_the_next_task_of_the_thread() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(1);
        try {
            for (int round = 0; round < 2_000; round++) {
                CompletableFuture<String> first = bulkhead.callAsync(pool, () -> "quick");
                first.cancel(true);
                boolean[] flag = new boolean[1];
                pool.submit(() -> flag[0] = Thread.currentThread().isInterrupted())
                        .get();
                assertThat(flag[0]).isFalse();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void the_loser_of_a_hedge_is_interrupted() {
        Hedge hedge = Hedge.of("h", config -> config.delay(SECOND), environment);
        int[] attempts = new int[1];
        CompletableFuture<String> future = Pipeline.of(hedge, inside)
                .callAsync(time::start, () -> attempts[0]++ == 0 ? sleep(Duration.ofSeconds(9)) : "second");
        time.advance(SECOND);
        assertThat(future).isCompletedWithValue("second");
        assertThat(events).containsExactly("interrupted@PT1S");
    }

    @Test
    void work_that_no_thread_has_taken_up_when_it_is_cancelled_never_begins() {
        Deque<Runnable> busy = new ArrayDeque<>();
        CompletableFuture<String> future =
                Pipeline.of(outside, inside).callAsync(busy::add, () -> sleep(Duration.ofSeconds(5)));
        assertThat(bulkhead.inFlight()).isOne();
        future.cancel(false);
        assertThat(bulkhead.inFlight()).isZero();
        busy.remove().run();
        assertThat(events).isEmpty();
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Test
    void an_executor_that_rejects_is_a_refusal_that_is_no_evidence_and_may_be_repeated() {
        int[] tasks = new int[1];
        Retry retry = Retry.of("r", config -> config.idempotent(false).backoff(Backoff.fixed(SECOND)), environment);
        CompletableFuture<String> future = Pipeline.of(retry, outside, timeout, inside)
                .callAsync(
                        task -> {
                            if (tasks[0]++ == 0) {
                                throw new RejectedExecutionException("full");
                            }
                            time.start(task);
                        },
                        () -> "second");
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
        time.advance(SECOND);
        assertThat(future).isCompletedWithValue("second");

        Throwable thrown = failureOf(bulkhead.callAsync(
                task -> {
                    throw new RejectedExecutionException("full");
                },
                () -> "no"));
        assertThat(thrown)
                .isInstanceOf(ExecutorRejectedException.class)
                .hasMessage("bulkhead \"b\": the executor takes no more calls");
    }

    @Test
    void arguments_must_be_there() {
        assertThatThrownBy(() -> bulkhead.callAsync(null, () -> "no"))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("executor");
        assertThat(catchThrowable(() -> bulkhead.callAsync(time::start, null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("operation");
    }

    @Test
    void a_stage_that_hides_the_cancel_from_its_work_holds_the_permit_to_the_end_too() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> future = Pipeline.of(timeout, inside).callAsync(() -> work.minimalCompletionStage());
        time.advance(SECOND);
        assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
        assertThat(bulkhead.inFlight()).isOne();
        work.complete("late");
        assertThat(bulkhead.inFlight()).isZero();
    }
}
