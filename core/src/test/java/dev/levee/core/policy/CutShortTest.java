package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Calls that end early, by a timeout, a cancel, an interrupt, or because user code in a policy throws. */
class CutShortTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        return seen[0];
    }

    @Nested
    class InTheQueueOfABulkhead {
        private final Bulkhead bulkhead =
                Bulkhead.of("b", config -> config.maxConcurrent(1).queue(9, Duration.ofHours(1)), environment);
        private final CountingGate neighbour = new CountingGate(Bulkhead.of("n", c -> c.maxConcurrent(9), environment));
        private final CountingGate further = new CountingGate(Bulkhead.of("f", c -> c.maxConcurrent(9), environment));
        private final CompletableFuture<String> running = new CompletableFuture<>();

        @AfterEach
        void nobodyIsLeft() {
            running.complete("yes");
            time.runReady();
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(bulkhead.waiting()).isZero();
        }

        @Test
        void a_timeout_is_no_evidence_against_the_dependency() {
            Bulkhead slow =
                    Bulkhead.of("s", config -> config.maxConcurrent(1).queue(1, Duration.ofHours(1)), environment);
            slow.callAsync(() -> running);
            Pipeline pipeline = Pipeline.of(
                    Timeout.of("t", Duration.ofSeconds(1), environment),
                    further,
                    Retry.of("r", config -> {}, environment),
                    neighbour,
                    slow);
            CompletableFuture<String> future = pipeline.callAsync(() -> CompletableFuture.completedFuture("no"));
            time.advance(Duration.ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(BulkheadFullException.class);
            assertThat(neighbour.verdicts()).containsExactly(Verdict.IGNORED);
            assertThat(further.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void a_future_that_was_completed_from_outside_does_not_start_its_work() throws Exception {
            bulkhead.callAsync(() -> running);
            List<String> started = new ArrayList<>();
            CompletableFuture<String> future = bulkhead.callAsync(() -> {
                started.add("x");
                return CompletableFuture.completedFuture("no");
            });
            future.complete("by orTimeout or its like");
            running.complete("yes");
            time.runReady();
            assertThat(started).isEmpty();
        }

        @Test
        void the_executor_of_the_bulkhead_runs_a_call_that_has_waited() {
            Deque<Runnable> own = new ArrayDeque<>();
            Bulkhead other = Bulkhead.of(
                    "o",
                    config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(1)),
                    environment.toBuilder().executor(own::add).build());
            CompletableFuture<String> first = new CompletableFuture<>();
            other.callAsync(() -> first);
            CompletableFuture<String> future =
                    Pipeline.of(neighbour, other).callAsync(() -> CompletableFuture.completedFuture("yes"));
            first.complete("first");
            assertThat(own).hasSize(1);
            own.remove().run();
            assertThat(future).isCompletedWithValue("yes");
        }
    }

    @Nested
    class ByATimeout {
        private final Timeout timeout = Timeout.of("t", Duration.ofSeconds(3), environment);

        @AfterEach
        void noTimerIsLeft() {
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void the_time_that_the_supplier_takes_counts() {
            CompletableFuture<String> future = timeout.callAsync(() -> {
                time.advance(Duration.ofSeconds(2));
                return new CompletableFuture<>();
            });
            time.advance(Duration.ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
        }

        @Test
        void a_failure_is_not_wrapped_whether_it_comes_at_once_or_later() {
            IOException thrown = new IOException("disk");
            CompletableFuture<String> failed =
                    CompletableFuture.<String>failedFuture(thrown).thenApply(x -> x);
            assertThat(failureOf(failed)).isInstanceOf(CompletionException.class);
            assertThat(failureOf(timeout.callAsync(() -> failed))).isSameAs(thrown);
        }

        @Test
        void a_cancel_takes_the_timer_back_even_if_the_work_continues() {
            CompletableFuture<String> stubborn = new CompletableFuture<>();
            CompletableFuture<String> future = timeout.callAsync(stubborn::minimalCompletionStage);
            future.cancel(true);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_scheduler_that_throws_fails_the_future_and_cancels_the_work() {
            CompletableFuture<String> work = new CompletableFuture<>();
            Timeout broken = Timeout.of("t", Duration.ofSeconds(1), brokenTimers());
            assertThat(failureOf(broken.callAsync(() -> work))).isInstanceOf(RejectedExecutionException.class);
            assertThat(work).isCancelled();
        }

        @Test
        void an_interrupt_that_throws_does_not_hold_the_thread_for_ever() throws Exception {
            Throwable[] thrown = new Throwable[1];
            Thread odd =
                    new Thread(() -> thrown[0] = catchThrowable(() -> timeout.call(() -> {
                        try {
                            time.advance(Duration.ofSeconds(5));
                        } catch (IllegalStateException comesOutOfTheTimer) {
                            // Or is logged: not what this is about.
                        }
                        return "late";
                    }))) {
                        @Override
                        public void interrupt() {
                            throw new IllegalStateException("interrupt");
                        }
                    };
            odd.setDaemon(true);
            odd.start();
            odd.join(10_000);
            assertThat(odd.isAlive()).isFalse();
            assertThat(thrown[0]).isInstanceOf(TimedOutException.class);
        }
    }

    private Environment brokenTimers() {
        return environment.toBuilder()
                .scheduler(new Scheduler() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        throw new RejectedExecutionException("shut down");
                    }

                    @Override
                    public void sleep(long nanos) {}

                    @Override
                    public void park(Object blocker, long nanos) {}
                })
                .build();
    }

    private static final class SleeplessScheduler implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            throw new RejectedExecutionException("shut down");
        }

        @Override
        public void sleep(long nanos) {
            throw new RejectedExecutionException("shut down");
        }

        @Override
        public void park(Object blocker, long nanos) {}
    }

    @Nested
    class BetweenTwoAttempts {
        private final IOException failure = new IOException("disk");
        private final List<String> started = new ArrayList<>();

        private CompletableFuture<String> fail() {
            started.add("x");
            return CompletableFuture.failedFuture(failure);
        }

        private Retry retry(Environment with) {
            return Retry.of("r", config -> config.backoff(Backoff.fixed(Duration.ofSeconds(1))), with);
        }

        @AfterEach
        void noTimerIsLeft() {
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_scheduler_that_throws_ends_the_future_and_keeps_the_failure() {
            Throwable seen = failureOf(retry(brokenTimers()).callAsync(this::fail));
            assertThat(seen).isInstanceOf(RejectedExecutionException.class).hasSuppressedException(failure);
        }

        @Test
        void a_scheduler_that_throws_keeps_the_failures_of_a_blocking_call() {
            Retry retry = retry(
                    environment.toBuilder().scheduler(new SleeplessScheduler()).build());
            assertThat(catchThrowable(() -> retry.call(() -> {
                        throw failure;
                    })))
                    .isInstanceOf(RejectedExecutionException.class)
                    .hasSuppressedException(failure);
        }

        @Test
        void a_clock_that_throws_on_a_thread_of_the_executor_ends_the_future() {
            Deque<Runnable> tasks = new ArrayDeque<>();
            boolean[] broken = new boolean[1];
            Environment odd = environment.toBuilder()
                    .executor(tasks::add)
                    .clock(() -> {
                        if (broken[0]) {
                            throw new IllegalStateException("no time");
                        }
                        return time.nanoTime();
                    })
                    .build();
            Retry retry = Retry.of("r", c -> c.totalTime(Duration.ofHours(1)), odd);
            CompletableFuture<String> future = retry.callAsync(this::fail);
            time.advance(Duration.ofSeconds(1));
            broken[0] = true;
            tasks.remove().run();
            assertThat(failureOf(future)).hasMessage("no time");
        }

        @Test
        void a_backoff_that_throws_keeps_the_failure() {
            Retry retry = Retry.of("r", config -> config.backoff((attempt, random) -> -1), environment);
            assertThat(catchThrowable(() -> retry.call(() -> {
                        throw failure;
                    })))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasSuppressedException(failure);
            assertThat(failureOf(retry.callAsync(this::fail)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasSuppressedException(failure);
        }

        @Test
        void a_backoff_that_throws_an_error_ends_the_future() {
            Retry retry = Retry.of(
                    "r",
                    config -> config.backoff((attempt, random) -> {
                        throw new StackOverflowError();
                    }),
                    environment);
            assertThat(failureOf(retry.callAsync(this::fail))).isInstanceOf(StackOverflowError.class);
        }

        @Test
        void an_executor_without_threads_ends_the_future() {
            Environment exhausted = environment.toBuilder()
                    .executor(task -> {
                        throw new InternalError("unable to create native thread");
                    })
                    .build();
            try (CapturedLog log = new CapturedLog(Retry.class)) {
                CompletableFuture<String> future = retry(exhausted).callAsync(this::fail);
                time.advance(Duration.ofSeconds(1));
                assertThat(future)
                        .failsWithin(Duration.ofSeconds(10)) // on a thread of the machine
                        .withThrowableThat()
                        .havingCause()
                        .isSameAs(failure);
                assertThat(log.lines()).singleElement().asString().contains("could not start another attempt");
            }
        }

        @Test
        void a_cancel_while_the_attempt_waits_for_a_thread_starts_nothing() {
            Deque<Runnable> tasks = new ArrayDeque<>();
            CompletableFuture<String> future =
                    retry(environment.toBuilder().executor(tasks::add).build()).callAsync(this::fail);
            time.advance(Duration.ofSeconds(1));
            assertThat(tasks).hasSize(1);
            future.cancel(true);
            tasks.remove().run();
            assertThat(started).hasSize(1);
        }

        @Test
        void a_future_that_was_completed_from_outside_is_not_repeated() {
            CompletableFuture<String> future = retry(environment).callAsync(this::fail);
            future.completeExceptionally(new TimeoutException("orTimeout"));
            time.advance(Duration.ofSeconds(9));
            assertThat(started).hasSize(1);
        }

        @Test
        void an_interrupt_is_never_repeated_whatever_the_rule() {
            OutcomeRule all = (result, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;
            Retry retry = Retry.of(
                    "r",
                    config -> config.outcomes(all),
                    new ManualTime().autoAdvance().environment());
            assertThat(catchThrowable(() -> retry.callInterruptibly(() -> {
                        started.add("x");
                        if (started.size() == 1) {
                            throw new InterruptedException();
                        }
                        return "repeated";
                    })))
                    .isInstanceOf(InterruptedException.class);
        }

        @Test
        void an_interrupt_is_shown_beside_a_refusal_that_many_share() {
            Bulkhead full = Bulkhead.of("b", config -> config.maxConcurrent(1), environment);
            full.callAsync(CompletableFuture::new);
            Thread.currentThread().interrupt();
            Throwable thrown =
                    catchThrowable(() -> Pipeline.of(retry(environment), full).call(() -> "no"));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).isInstanceOf(BulkheadFullException.class).isNotSameAs(full.refusal());
            assertThat(thrown.getSuppressed()).hasAtLeastOneElementOfType(InterruptedException.class);
        }

        @Test
        void an_exception_that_user_code_throws_again_and_again_does_not_grow() {
            ManualTime moving = new ManualTime().autoAdvance();
            Retry retry = retry(moving.environment());
            for (int call = 0; call < 50; call++) {
                int[] attempts = new int[1];
                assertThat(catchThrowable(() -> retry.call(() -> {
                            throw ++attempts[0] < 3 ? new IOException("fresh") : failure;
                        })))
                        .isSameAs(failure);
            }
            assertThat(failure.getSuppressed()).hasSizeLessThanOrEqualTo(8);
        }
    }

    @Nested
    class UnderAFallback {
        @Test
        void a_chosen_interrupt_is_replaced_but_not_swallowed() throws InterruptedException {
            Fallback all = Fallback.of("f", error -> true, error -> "substitute", environment);
            String answer = all.callInterruptibly(() -> {
                throw new InterruptedException();
            });
            assertThat(answer).isEqualTo("substitute");
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void a_call_that_timed_out_further_out_asks_for_no_substitute() {
            List<Throwable> asked = new ArrayList<>();
            Fallback fallback = Fallback.of("f", error -> true, asked::add, environment);
            CompletableFuture<Object> work = new CompletableFuture<>();
            CompletableFuture<Object> future = Pipeline.of(
                            Timeout.of("t", Duration.ofSeconds(1), environment), fallback)
                    .callAsync(work::minimalCompletionStage);
            time.advance(Duration.ofSeconds(1));
            work.completeExceptionally(new IOException("late"));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(asked).isEmpty();
        }

        @Test
        void an_exception_that_the_source_throws_again_and_again_does_not_grow() {
            IllegalStateException shared = new IllegalStateException("no substitute");
            Fallback fallback = Fallback.of(
                    "f",
                    error -> true,
                    error -> {
                        throw shared;
                    },
                    environment);
            for (int call = 0; call < 50; call++) {
                assertThat(catchThrowable(() -> fallback.call(() -> {
                            throw new IOException("fresh");
                        })))
                        .isSameAs(shared);
            }
            assertThat(shared).hasNoSuppressedExceptions();
        }
    }

    @Test
    void factories_name_a_configuration_that_is_null() {
        assertThat(catchThrowable(
                        () -> Retry.of("r", (java.util.function.Consumer<RetryConfig.Builder>) null, environment)))
                .hasMessage("configure");
        assertThat(catchThrowable(() ->
                        Bulkhead.of("b", (java.util.function.Consumer<BulkheadConfig.Builder>) null, environment)))
                .hasMessage("configure");
    }
}
