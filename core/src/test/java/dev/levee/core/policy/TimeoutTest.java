package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
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
                    .hasMessage("\"t\" timed out after PT1S")
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
        void a_foreign_interrupt_before_the_alarm_is_kept() {
            assertThatThrownBy(() -> timeout.call(() -> {
                        Thread.currentThread().interrupt();
                        time.advance(Duration.ofSeconds(5));
                        return "late";
                    }))
                    .isInstanceOf(TimedOutException.class);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void a_foreign_interrupt_after_ours_was_consumed_is_kept() {
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
        void a_cancel_by_the_caller_cancels_timer_and_work() {
            CompletableFuture<String> future = timeout.callAsync(() -> work);
            future.cancel(true);
            assertThat(work).isCancelled();
        }
    }

    @Test
    void settings_are_refused_with_name_bound_and_value() {
        assertThatThrownBy(() -> Timeout.of("t", Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("timeout must be more than zero, but was PT0S");
    }
}
