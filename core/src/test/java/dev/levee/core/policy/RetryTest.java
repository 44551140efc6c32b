package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class RetryTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final Environment environment = time.environment();
    private final List<Integer> attempts = new ArrayList<>();
    private final Backoff second = Backoff.fixed(Duration.ofSeconds(1));

    private Retry retry(Consumer<RetryConfig.Builder> configure) {
        return Retry.of("r", config -> configure.accept(config.backoff(second)), environment);
    }

    /** Fails a number of times with a new IOException, then returns yes; records the attempts that it sees. */
    private String failing(int times) throws IOException {
        attempts.add(CallContext.current().attempt());
        if (attempts.size() <= times) {
            throw new IOException("failure " + attempts.size());
        }
        return "yes";
    }

    private static void fails(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(Exception.class);
    }

    private static void succeeds(ThrowingCallable call) {
        assertThatCode(call).doesNotThrowAnyException();
    }

    private long elapsedSeconds(Runnable work) {
        long start = environment.clock().nanoTime();
        work.run();
        return Duration.ofNanos(environment.clock().nanoTime() - start).toSeconds();
    }

    @Nested
    class Blocking {
        @Test
        void a_success_is_not_repeated() throws IOException {
            assertThat(retry(config -> {}).call(() -> failing(0))).isEqualTo("yes");
            assertThat(attempts).containsExactly(1);
        }

        @Test
        void a_failure_is_repeated_after_the_backoff_and_the_callee_sees_the_attempt() {
            assertThat(elapsedSeconds(() -> assertThat(
                                    catchThrowable(() -> retry(config -> {}).call(() -> failing(2))))
                            .isNull()))
                    .isEqualTo(2);
            assertThat(attempts).containsExactly(1, 2, 3);
            assertThat(CallContext.current().attempt()).isOne();
        }

        @Test
        void the_last_failure_is_thrown_with_the_earlier_ones_suppressed() {
            Throwable thrown = catchThrowable(() -> retry(config -> {}).call(() -> failing(9)));
            assertThat(thrown).isInstanceOf(IOException.class).hasMessage("failure 3");
            assertThat(thrown.getSuppressed())
                    .extracting(Throwable::getMessage)
                    .containsExactly("failure 1", "failure 2");
        }

        @Test
        void suppressed_failures_are_bounded() {
            Throwable thrown = catchThrowable(
                    () -> retry(config -> config.maxAttempts(100)).call(() -> failing(1_000)));
            assertThat(thrown).hasMessage("failure 100");
            assertThat(thrown.getSuppressed()).hasSize(8);
        }

        @Test
        void the_same_exception_again_does_not_suppress_itself() {
            IOException same = new IOException("same");
            assertThat(catchThrowable(() -> retry(config -> {}).call(() -> {
                        throw same;
                    })))
                    .isSameAs(same)
                    .hasNoSuppressedExceptions();
        }

        @Test
        void an_error_is_never_repeated() {
            assertThatThrownBy(() -> retry(config -> {}).call(() -> {
                        attempts.add(1);
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
            assertThat(attempts).hasSize(1);
        }

        @Test
        void an_ignored_exception_is_not_repeated() {
            OutcomeRule rule = OutcomeRule.standard().onError(IOException.class, Verdict.IGNORED);
            assertThatThrownBy(() -> retry(config -> config.outcomes(rule)).call(() -> failing(1)))
                    .hasMessage("failure 1");
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_result_can_be_a_failure_and_the_last_one_is_returned() {
            OutcomeRule rule = OutcomeRule.standard().onResult(Integer.class, n -> n < 10, Verdict.FAILURE);
            int result = retry(config -> config.outcomes(rule)).call(() -> {
                attempts.add(1);
                return attempts.size();
            });
            assertThat(result).isEqualTo(3);
        }

        @Test
        void no_attempt_starts_after_the_total_time() {
            Retry limited = retry(config -> config.maxAttempts(100).totalTime(Duration.ofMillis(2_500)));
            assertThat(elapsedSeconds(() -> fails(() -> limited.call(() -> failing(100)))))
                    .isEqualTo(2);
            assertThat(attempts).hasSize(3);
        }

        @Test
        void a_wait_that_does_not_fit_the_deadline_fails_now() {
            CallContext narrow =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofMillis(1_500), environment.clock()));
            assertThat(elapsedSeconds(() ->
                            fails(() -> narrow.call(() -> retry(config -> {}).call(() -> failing(100))))))
                    .isEqualTo(1);
            assertThat(attempts).hasSize(2);
        }

        @Test
        void a_hint_is_a_lower_bound_for_the_delay() {
            OutcomeRule rule = OutcomeRule.standard()
                    .retryAfter((result, error) -> Duration.ofSeconds(7).toNanos());
            assertThat(elapsedSeconds(() -> succeeds(() -> retry(config -> config.outcomes(rule)
                                    .maxHint(Duration.ofSeconds(7))
                                    .hintJitter(0))
                            .call(() -> failing(1)))))
                    .isEqualTo(7);
        }

        @Test
        void a_hint_that_is_too_long_ends_the_call_at_once() {
            OutcomeRule rule = OutcomeRule.standard()
                    .retryAfter((result, error) -> Duration.ofSeconds(5).toNanos() + 1);
            assertThat(elapsedSeconds(() ->
                            fails(() -> retry(config -> config.outcomes(rule)).call(() -> failing(1)))))
                    .isZero();
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_refusal_is_repeated_and_at_the_end_carries_what_came_before() {
            Bulkhead full = Bulkhead.of("full", config -> config.maxConcurrent(1), environment);
            Pipeline pipeline = Pipeline.of(retry(config -> {}), full);
            Throwable[] thrown = new Throwable[1];
            full.run(() -> thrown[0] = catchThrowable(() -> pipeline.run(() -> {})));
            assertThat(thrown[0]).isInstanceOf(BulkheadFullException.class).isNotSameAs(full.refusal());
            assertThat(thrown[0].getSuppressed()).isNotEmpty();
            assertThat(full.refusal()).as("shared").hasNoSuppressedExceptions();
        }

        @Test
        void a_refusal_that_the_rule_names_as_no_failure_is_not_repeated() {
            List<String> refusals = new ArrayList<>();
            Environment heard = environment.toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onRefused(Policy.Kind kind, String policy) {
                            refusals.add(policy);
                        }
                    })
                    .build();
            Bulkhead full = Bulkhead.of("full", 1, heard);
            full.tryEnter(0);
            Retry retry = retry(config ->
                    config.maxAttempts(5).outcomes(rule -> rule.onError(BulkheadFullException.class, Verdict.IGNORED)));

            assertThatThrownBy(() -> Pipeline.of(retry, full).call(() -> "never"))
                    .isInstanceOf(BulkheadFullException.class);
            assertThat(refusals).hasSize(1);
            assertThat(Pipeline.of(retry, full).callAsync(() -> CompletableFuture.completedFuture("never")))
                    .isCompletedExceptionally();
            assertThat(refusals).hasSize(2);
        }

        @Test
        void an_interrupt_during_the_wait_keeps_the_flag_and_both_failures() {
            Retry retry = Retry.of("r", config -> config.backoff(second), manual());
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(() -> retry.call(() -> failing(1)));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).hasMessage("failure 1");
            assertThat(thrown.getSuppressed()).hasAtLeastOneElementOfType(InterruptedException.class);
        }

        @Test
        void an_interrupt_during_the_wait_is_thrown_by_an_interruptible_call() {
            Retry retry = Retry.of("r", config -> config.backoff(second), manual());
            Thread.currentThread().interrupt();
            Throwable thrown = catchThrowable(() -> retry.callInterruptibly(() -> failing(1)));
            assertThat(Thread.interrupted()).isFalse();
            assertThat(thrown).isInstanceOf(InterruptedException.class);
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("failure 1");
        }

        private Environment manual() {
            return new ManualTime().environment();
        }

        @Test
        void success_reads_no_clock_and_a_total_time_reads_it_once() throws IOException {
            int[] reads = new int[1];
            Environment counting = environment.toBuilder()
                    .clock(() -> {
                        reads[0]++;
                        return environment.clock().nanoTime();
                    })
                    .build();
            Retry.of("r", config -> {}, counting).call(() -> failing(0));
            assertThat(reads[0]).isZero();
            Retry.of("r", config -> config.totalTime(Duration.ofSeconds(1)), counting)
                    .call(() -> failing(0));
            assertThat(reads[0]).isOne();
        }

        @Test
        void listeners_and_metrics_get_each_repetition() {
            List<String> heard = new ArrayList<>();
            Environment listening = environment.toBuilder()
                    .listener(new Listener() {
                        @Override
                        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
                            heard.add(policy + " " + attempt + " " + Duration.ofNanos(delayNanos));
                        }
                    })
                    .build();
            Retry retry = Retry.of("r", config -> config.backoff(second), listening);
            fails(() -> retry.call(() -> failing(5)));
            assertThat(heard).containsExactly("r 2 PT1S", "r 3 PT1S");
            List<String> metrics = new ArrayList<>();
            retry.measure((policy, metric, value) -> metrics.add(metric + " " + value));
            assertThat(metrics)
                    .containsExactly(
                            "retry.repeated 2.0",
                            "retry.exhausted 1.0",
                            "retry.stood.down 0.0",
                            "retry.refused 0.0",
                            "budget.credit 100.0",
                            "budget.withdrawn 2.0",
                            "budget.refused 0.0");
        }
    }

    @Nested
    class Asynchronous {
        private final ManualTime time = new ManualTime();
        private final Retry retry = Retry.of("r", config -> config.backoff(second), time.environment());

        private CompletableFuture<String> stage(int failures) {
            try {
                return CompletableFuture.completedFuture(failing(failures));
            } catch (IOException e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        @Test
        void repeats_without_a_thread_and_the_callee_sees_the_attempt() {
            CompletableFuture<String> future = retry.callAsync(() -> stage(2));
            assertThat(future).isNotDone();
            time.advance(Duration.ofSeconds(1));
            assertThat(attempts).containsExactly(1, 2);
            time.advance(Duration.ofSeconds(1));
            assertThat(attempts).containsExactly(1, 2, 3);
            assertThat(future).isCompletedWithValue("yes");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void gives_the_last_failure_as_it_is_because_a_future_may_be_shared() {
            CompletableFuture<String> future = retry.callAsync(() -> stage(9));
            time.advance(Duration.ofSeconds(5));
            Throwable[] seen = new Throwable[1];
            future.whenComplete((result, error) -> seen[0] = error);
            assertThat(seen[0]).hasMessage("failure 3");
            assertThat(seen[0]).hasNoSuppressedExceptions();
        }

        @Test
        void a_cancel_reaches_the_pending_delay() {
            CompletableFuture<String> future = retry.callAsync(() -> stage(9));
            future.cancel(true);
            assertThat(time.pendingTimers()).isZero();
            time.advance(Duration.ofSeconds(5));
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_cancel_reaches_the_running_attempt() {
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = retry.callAsync(() -> attempts.isEmpty() ? stage(1) : work);
            time.advance(Duration.ofSeconds(1));
            future.cancel(true);
            assertThat(work).isCancelled();
            time.advance(Duration.ofSeconds(5));
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_future_that_is_completed_from_outside_leaves_no_timer_and_makes_no_more_attempts() {
            CompletableFuture<String> future = retry.callAsync(() -> stage(9));
            future.complete("by orTimeout or its like");
            assertThat(time.pendingTimers()).isZero();
            time.advance(Duration.ofSeconds(5));
            assertThat(attempts).hasSize(1);
        }

        @Test
        void no_thread_is_held_while_it_waits() {
            List<Thread> threads = new ArrayList<>();
            Retry counted = Retry.of(
                    "r",
                    config -> config.backoff(second),
                    time.environment().toBuilder()
                            .executor(task -> {
                                threads.add(Thread.currentThread());
                                task.run();
                            })
                            .build());
            CompletableFuture<String> future = counted.callAsync(() -> stage(1));
            assertThat(future).isNotDone();
            assertThat(threads).isEmpty();
            assertThat(time.pendingTimers()).isOne();
            time.advance(Duration.ofSeconds(1));
            assertThat(threads).hasSize(1);
            assertThat(future).isCompletedWithValue("yes");
        }

        @Test
        void permits_of_gates_inside_are_given_back_for_each_attempt() {
            Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1), time.environment());
            CompletableFuture<String> future = Pipeline.of(retry, bulkhead).callAsync(() -> stage(2));
            time.advance(Duration.ofSeconds(2));
            assertThat(future).isCompletedWithValue("yes");
            assertThat(bulkhead.inFlight()).isZero();
        }
    }

    @Nested
    class Settings {
        @Test
        void are_refused_with_name_bound_and_value() {
            assertThatThrownBy(() -> Retry.of("r", config -> config.maxAttempts(0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("retry \"r\": maxAttempts must be at least 1, but was 0");
            assertThatThrownBy(() -> Retry.of("r", config -> config.totalTime(Duration.ZERO)))
                    .hasMessage("retry \"r\": totalTime must be more than zero, but was 0s");
            assertThatThrownBy(() -> Backoff.exponential(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                    .hasMessage("max must be at least initial 2s, but was 1s");
            assertThatThrownBy(() -> Retry.of(" ")).hasMessageContaining("name must not be blank");
        }

        @Test
        void survive_the_round_trip() {
            RetryConfig config = RetryConfig.builder()
                    .maxAttempts(7)
                    .totalTime(Duration.ofSeconds(3))
                    .build();
            assertThat(config.toBuilder().build().maxAttempts()).isEqualTo(7);
            assertThat(config.toBuilder().build().totalTime()).isEqualTo(Duration.ofSeconds(3));
            RetryBudget budget = RetryBudget.of("b");
            Backoff slow = Backoff.fixed(Duration.ofSeconds(9));
            RetryConfig other = RetryConfig.builder()
                    .budget(budget)
                    .idempotent(false)
                    .throttledBackoff(slow)
                    .throttledCost(3)
                    .build()
                    .toBuilder()
                    .build();
            assertThat(other.budget()).isSameAs(budget);
            assertThat(other.idempotent()).isFalse();
            assertThat(other.throttledBackoff()).isSameAs(slow);
            assertThat(other.throttledCost()).isEqualTo(3);
            assertThat(config.budget()).as("one of its own").isNull();
        }

        @Test
        void a_gate_has_no_place_to_hide_in_the_text() {
            assertThat(Pipeline.of(retry(config -> {})).toString()).isEqualTo("retry(call)");
            assertThat(Gate.REFUSED).isZero();
        }
    }

    @Property
    void full_jitter_stays_between_zero_and_the_maximum_at_any_attempt(
            @ForAll @IntRange(min = 1) int attempt,
            @ForAll @LongRange(min = 1, max = Long.MAX_VALUE / 4) long initial,
            @ForAll @LongRange(min = 0, max = Long.MAX_VALUE / 4) long more) {
        Backoff backoff = Backoff.exponential(
                Duration.ofNanos(initial), Duration.ofNanos(initial).plusNanos(more));
        double uncapped = initial * Math.pow(2, attempt - 1);
        long bound = (long) Math.min(uncapped, (double) initial + more);
        assertThat(backoff.delayNanos(attempt, environment.random())).isBetween(0L, Math.max(bound, initial + more));
        if (uncapped < 1e15 && uncapped <= initial + more) {
            assertThat(backoff.delayNanos(attempt, environment.random())).isLessThanOrEqualTo((long) uncapped);
        }
    }

    @Test
    void at_the_maximum_the_jitter_still_spreads() {
        Backoff backoff = Backoff.exponential(Duration.ofMillis(1), Duration.ofSeconds(1));
        long low = 0;
        for (int i = 0; i < 1_000; i++) {
            if (backoff.delayNanos(1_000, environment.random())
                    < Duration.ofMillis(500).toNanos()) {
                low++;
            }
        }
        assertThat(low).isBetween(400L, 600L);
    }
}
