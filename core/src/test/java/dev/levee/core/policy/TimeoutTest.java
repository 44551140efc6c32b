package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class TimeoutTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final Environment environment = time.environment();
    private final Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), environment);

    @AfterEach
    void nothingIsLeft() {
        assertThat(time.pendingTimers()).isZero();
        assertThat(Thread.interrupted()).isFalse();
    }

    private void sleep(Duration duration) throws InterruptedException {
        environment.scheduler().sleep(duration.toNanos());
    }

    @Nested
    class Blocking {
        @Test
        void a_quick_call_comes_through() {
            assertThat(timeout.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
        }

        @Test
        void a_quick_failure_comes_through() {
            IOException thrown = new IOException("disk");
            assertThat(catchThrowable(() -> timeout.call(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
        }

        @Test
        void a_slow_call_is_interrupted() {
            assertThatThrownBy(() -> timeout.callInterruptibly(() -> {
                        sleep(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class)
                    .hasMessage("timeout \"t\" timed out after 1s")
                    .satisfies(thrown -> assertThat(thrown.getSuppressed())
                            .singleElement()
                            .isInstanceOf(InterruptedException.class));
        }

        @Test
        void a_call_that_ignores_the_interrupt_times_out_when_it_ends_and_leaves_no_flag() {
            assertThatThrownBy(() -> timeout.call(() -> {
                        time.advance(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
        }

        @Test
        void a_foreign_interrupt_before_that_of_the_timeout_is_kept() {
            assertThatThrownBy(() -> timeout.call(() -> {
                        Thread.currentThread().interrupt();
                        time.advance(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void a_foreign_interrupt_after_that_of_the_timeout_was_consumed_is_kept() {
            assertThatThrownBy(() -> timeout.callInterruptibly(() -> {
                        try {
                            sleep(Duration.ofSeconds(5));
                        } finally {
                            Thread.currentThread().interrupt();
                        }
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void a_foreign_interrupt_without_a_timeout_comes_through() {
            assertThatThrownBy(() -> timeout.callInterruptibly(() -> {
                        throw new InterruptedException();
                    }))
                    .isInstanceOf(InterruptedException.class);
        }

        @Test
        void an_outer_timeout_interrupts_what_comes_after_an_inner_one_that_was_up_already() {
            Timeout inner = Timeout.of("inner", Duration.ofMillis(300), environment);
            assertThatThrownBy(() -> timeout.callInterruptibly(() -> {
                        assertThatThrownBy(() -> inner.call(() -> {
                                    time.advance(Duration.ofSeconds(2)); // ignores interrupts
                                    return "late";
                                }))
                                .isInstanceOf(TimedOutException.class);
                        sleep(Duration.ofHours(1));
                        return "later";
                    }))
                    .isInstanceOf(TimedOutException.class)
                    .hasMessageContaining("\"t\"");
            assertThat(time.elapsed()).isEqualTo(Duration.ofSeconds(2));
        }

        @Test
        void all_of_three_timeouts_interrupt_once_and_leave_no_flag() {
            Timeout inner = Timeout.of("inner", Duration.ofMillis(300), environment);
            Timeout outer = Timeout.of("outer", Duration.ofMillis(1500), environment);
            List<Boolean> flags = new ArrayList<>();
            assertThatThrownBy(() -> outer.call(() -> {
                        assertThatThrownBy(() -> timeout.call(() -> {
                                    assertThatThrownBy(() -> inner.call(() -> {
                                                time.advance(Duration.ofSeconds(2));
                                                return "late";
                                            }))
                                            .isInstanceOf(TimedOutException.class);
                                    flags.add(Thread.interrupted());
                                    return "late";
                                }))
                                .isInstanceOf(TimedOutException.class);
                        flags.add(Thread.interrupted());
                        flags.add(Thread.currentThread().isInterrupted());
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(flags).containsExactly(true, true, false);
        }

        @Test
        void a_foreign_interrupt_is_kept_by_two_timeouts_too() {
            Timeout inner = Timeout.of("inner", Duration.ofMillis(300), environment);
            assertThatThrownBy(() -> Pipeline.of(timeout, inner).call(() -> {
                        Thread.currentThread().interrupt();
                        time.advance(Duration.ofSeconds(2));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void the_call_sees_a_deadline_that_only_shrinks() {
            Timeout outer = Timeout.of("outer", Duration.ofMillis(300), environment);
            Pipeline.of(outer, timeout)
                    .run(() -> assertThat(CallContext.current().deadline().remainingNanos())
                            .isEqualTo(Duration.ofMillis(300).toNanos()));
            assertThat(CallContext.current().deadline()).isNull();
        }

        @Test
        void a_gate_inside_counts_the_interrupt_of_a_timeout_as_a_failure() {
            CountingGate gate = new CountingGate(Bulkhead.of("b", config -> {}, environment));
            assertThatThrownBy(() -> Pipeline.of(timeout, gate).callInterruptibly(() -> {
                        sleep(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void a_duration_beyond_all_clocks_means_never() {
            assertThat(Timeout.of("t", Duration.ofSeconds(Long.MAX_VALUE), environment)
                            .<String, RuntimeException>call(() -> "yes"))
                    .isEqualTo("yes");
        }
    }

    @Nested
    class Asynchronous {
        private final ManualTime time = new ManualTime();
        private final Environment environment = time.environment();
        private final Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), environment);
        private final CompletableFuture<String> work = new CompletableFuture<>();

        @AfterEach
        void noTimerIsLeft() {
            assertThat(time.pendingTimers()).isZero();
        }

        private Throwable failureOf(CompletableFuture<?> future) {
            Throwable[] seen = new Throwable[1];
            future.whenComplete((result, error) -> seen[0] = error);
            return seen[0];
        }

        @Test
        void a_quick_stage_comes_through() {
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            work.complete("yes");
            assertThat(future).isCompletedWithValue("yes");
        }

        @Test
        void a_failed_stage_leaves_no_timer() {
            IOException thrown = new IOException("disk");
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            work.completeExceptionally(thrown);
            assertThat(failureOf(future)).isSameAs(thrown);
        }

        @Test
        void a_slow_stage_times_out_and_is_cancelled() {
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            time.advance(Duration.ofMillis(999));
            assertThat(future).isNotDone();
            time.advance(Duration.ofMillis(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(work).isCancelled();
        }

        @Test
        void a_gate_inside_holds_its_permit_until_the_work_ends_and_counts_a_failure() {
            Bulkhead bulkhead = Bulkhead.of("b", config -> {}, environment);
            CountingGate gate = new CountingGate(bulkhead);
            CompletableFuture<String> future = Pipeline.of(timeout, gate).callAsync(work::minimalCompletionStage);
            time.advance(Duration.ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(bulkhead.inFlight()).as("the work still runs").isOne();
            work.complete("late");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void a_gate_outside_counts_one_failure_at_the_deadline_and_ignores_the_late_outcome() {
            CountingGate gate = new CountingGate(Bulkhead.of("b", config -> {}, environment));
            Pipeline.of(gate, timeout).callAsync(work::minimalCompletionStage);
            time.advance(Duration.ofSeconds(1));
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
            work.complete("late");
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void a_future_that_is_completed_from_outside_takes_the_timer_back() {
            timeout.callAsync(() -> new CompletableFuture<>()).complete("by hand");
            timeout.callAsync(() -> new CompletableFuture<>()).completeExceptionally(new IOException("by hand"));
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_timeout_has_no_stack_trace_of_a_timer() {
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            time.advance(Duration.ofSeconds(1));
            assertThat(failureOf(future)).hasMessage("timeout \"t\" timed out after 1s");
            assertThat(failureOf(future).getStackTrace()).isEmpty();
        }

        @Test
        void what_depends_on_the_future_may_call_again_and_again() {
            CompletableFuture<String> chain = timeout.callAsync(() -> work)
                    .handle((result, error) -> timeout.callAsync(() -> new CompletableFuture<String>()))
                    .thenCompose(second -> second);
            time.advance(Duration.ofSeconds(2));
            assertThat(failureOf(chain)).hasRootCauseInstanceOf(TimedOutException.class);
        }

        @Test
        void a_cancel_by_the_caller_cancels_timer_and_work() {
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            future.cancel(true);
            assertThat(work).isCancelled();
        }
    }

    @Nested
    class Computed {
        private final List<String> ran = new ArrayList<>();

        private Throwable blocking(Duration timeout) {
            return catchThrowable(
                    () -> Timeout.computed("c", context -> timeout, environment).call(() -> ran.add("x")));
        }

        @Test
        void for_each_attempt_from_what_is_known_of_it() {
            Timeout growing =
                    Timeout.computed("c", context -> Duration.ofMillis(100L * context.attempt()), environment);
            Retry retry = Retry.of(
                    "r", config -> config.maxAttempts(3).backoff(Backoff.fixed(Duration.ofMillis(1))), environment);
            List<Duration> started = new ArrayList<>();
            assertThatThrownBy(() -> Pipeline.of(retry, growing).callInterruptibly(() -> {
                        started.add(time.elapsed());
                        sleep(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class)
                    .hasMessage("timeout \"c\" timed out after 300ms");
            assertThat(started).containsExactly(Duration.ZERO, Duration.ofMillis(101), Duration.ofMillis(302));
            assertThat(growing).hasToString("timeout \"c\" computed");
        }

        @Test
        void for_each_call_from_what_is_set_at_the_time() {
            Duration[] setting = {Duration.ofMillis(5)};
            Timeout timeout = Timeout.computed("c", context -> setting[0], environment);
            CompletableFuture<Object> first = timeout.callAsync(CompletableFuture::new);
            setting[0] = Duration.ofMillis(9);
            CompletableFuture<Object> second = timeout.callAsync(CompletableFuture::new);
            time.advance(Duration.ofMillis(5));
            assertThat(first).isDone();
            assertThat(second).isNotDone();
            time.advance(Duration.ofMillis(4));
            assertThat(second).isDone();
        }

        @Test
        void and_wrong_is_found_before_anything_runs() {
            assertThat(blocking(Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("timeout \"c\": the computed time must be more than zero, but was 0s");
            assertThat(blocking(Duration.ofSeconds(-1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("timeout \"c\": the computed time must be more than zero, but was -1s");
            assertThat(blocking(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("timeout \"c\": the computed time");
            IllegalStateException thrown = new IllegalStateException("no settings");
            Timeout broken = Timeout.computed(
                    "c",
                    context -> {
                        throw thrown;
                    },
                    environment);
            assertThat(catchThrowable(() -> broken.call(() -> ran.add("x")))).isSameAs(thrown);
            assertThat(broken.callAsync(() -> CompletableFuture.completedFuture(ran.add("x"))))
                    .isCompletedExceptionally();
            assertThat(ran).isEmpty();
        }

        @Test
        void needs_a_function() {
            assertThatThrownBy(() -> Timeout.computed("c", null, environment))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("timeout");
        }
    }

    @Nested
    class OnASchedulerOfTheUser {
        private final List<Runnable> tasks = new ArrayList<>();
        private boolean throwing;
        private final Environment foreign = environment.toBuilder()
                .scheduler(new Scheduler() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        tasks.add(task);
                        if (throwing) {
                            throw new RejectedExecutionException("kept all the same");
                        }
                        return () -> tasks.remove(task);
                    }

                    @Override
                    public void sleep(long nanos) {}

                    @Override
                    public void park(Object blocker, long nanos) {}
                })
                .build();
        private final Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), foreign);

        @AfterEach
        void nothingIsLeft() {
            assertThat(tasks).isEmpty();
        }

        @Test
        void a_call_in_time_takes_its_timer_back() {
            assertThat(timeout.<Integer, RuntimeException>call(tasks::size)).isOne();
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            assertThat(tasks).hasSize(1);
            work.complete("yes");
            assertThat(future).isCompletedWithValue("yes");
        }

        @Test
        void a_call_that_takes_longer_times_out() {
            assertThatThrownBy(() -> timeout.call(() -> {
                        tasks.remove(0).run();
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            CompletableFuture<String> future = timeout.callAsync(CompletableFuture::new);
            tasks.remove(0).run();
            time.runReady();
            assertThat(future).isCompletedExceptionally();
        }

        @Test
        void a_timer_that_was_kept_by_a_scheduler_that_threw_does_not_interrupt_what_comes_later() {
            throwing = true;
            assertThatThrownBy(() -> timeout.call(() -> "never")).isInstanceOf(RejectedExecutionException.class);
            tasks.remove(0).run();
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    /**
     * The interrupt is being delivered and takes long: the thread must wait for it, or would be interrupted afterwards.
     */
    @Test
    void no_interrupt_is_delivered_after_the_code_has_ended() throws Exception {
        for (int round = 0; round < 50; round++) {
            Owner owner = new Owner();
            owner.start();
            owner.interrupt.run();
            owner.join();
            assertThat(owner.hitAfterTheEnd).isFalse();
            assertThat(owner.flagAtTheEnd).isFalse();
        }
    }

    private static final class Owner extends Thread {
        final InterruptOnce interrupt = new InterruptOnce(this);
        private volatile boolean delivering;
        private volatile boolean ended;
        volatile boolean hitAfterTheEnd;
        volatile boolean flagAtTheEnd;

        @Override
        public void run() {
            while (!delivering) {
                Thread.onSpinWait();
            }
            interrupt.delivered(false);
            ended = true;
            flagAtTheEnd = Thread.interrupted();
        }

        @Override
        @SuppressWarnings("ThreadPriorityCheck") // gives a thread that does not wait time to end
        public boolean isInterrupted() {
            if (Thread.currentThread() != this) {
                delivering = true;
                for (int i = 0; i < 1_000 && !ended; i++) {
                    Thread.yield();
                }
            }
            return super.isInterrupted();
        }

        @Override
        public void interrupt() {
            hitAfterTheEnd = ended;
            super.interrupt();
        }
    }

    @Test
    void settings_are_refused_with_name_bound_and_value() {
        assertThatThrownBy(() -> Timeout.of("t", Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("timeout \"t\": timeout must be more than zero, but was 0s");
    }
}
