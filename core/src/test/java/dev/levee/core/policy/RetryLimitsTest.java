package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.testing.BrokenBudget;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** When a retry stops: budget, pushback, throttling, time, and failures that repeating does not help. */
class RetryLimitsTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final Environment environment = time.environment();
    private final AtomicInteger attempts = new AtomicInteger();

    private Retry retry(Consumer<RetryConfig.Builder> configure) {
        return Retry.of(
                "r", config -> configure.accept(config.backoff(Backoff.fixed(Duration.ofSeconds(1)))), environment);
    }

    private String fail() throws IOException {
        throw new IOException("failure " + attempts.incrementAndGet());
    }

    private Throwable failureOf(Retry retry) {
        attempts.set(0);
        return catchThrowable(() -> retry.call(RetryLimitsTest.this::fail));
    }

    private long secondsOf(Retry retry) {
        Duration before = time.elapsed();
        failureOf(retry);
        return time.elapsed().minus(before).toSeconds();
    }

    private static Map<String, Double> metrics(Retry retry) {
        Map<String, Double> all = new HashMap<>();
        retry.measure((policy, metric, value) -> all.put(metric, value));
        return all;
    }

    private static OutcomeRule hint(long nanos) {
        return OutcomeRule.standard().retryAfter((result, error) -> nanos);
    }

    private static void ends(ThrowingCallable call) {
        assertThat(catchThrowable(call) instanceof AssertionError).isFalse();
    }

    @Nested
    class Budget {
        @Test
        void that_is_empty_ends_the_call_now_with_the_last_error() {
            RetryBudget two = RetryBudget.of("b", 0, 0, 1, environment);
            Retry retry = retry(config -> config.budget(two));
            Throwable thrown = failureOf(retry);
            assertThat(thrown).hasMessage("failure 2");
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("failure 1");
            assertThat(secondsOf(retry)).isZero();
            assertThat(attempts).hasValue(1);
            assertThat(metrics(retry))
                    .containsEntry("retry.refused", 2.0)
                    .containsEntry("retry.exhausted", 0.0)
                    .containsEntry("budget.refused", 2.0);
        }

        @Test
        void is_there_by_default_and_bounds_what_an_outage_costs() {
            Retry retry = retry(config -> config.maxAttempts(4).backoff(Backoff.fixed(Duration.ZERO)));
            int calls = 2_000;
            for (int i = 0; i < calls; i++) {
                ends(() -> retry.call(RetryLimitsTest.this::fail));
            }
            assertThat(attempts.get() - calls)
                    .as("a fifth of the calls (but the first, which found it full) and the reserve, of 3 x 2000")
                    .isEqualTo(calls / 5 + 99);
        }

        @Test
        void lets_a_service_with_little_traffic_retry_all_it_wants() {
            Retry retry = retry(config -> {});
            for (int i = 0; i < 200; i++) {
                failureOf(retry);
                assertThat(attempts).hasValue(3);
            }
            assertThat(metrics(retry)).containsEntry("retry.refused", 0.0);
        }

        @Test
        void is_shared_by_retries_that_are_given_the_same() {
            RetryBudget shared = RetryBudget.of("shared", 0, 0, 3, environment);
            failureOf(retry(config -> config.budget(shared)));
            assertThat(attempts).hasValue(3);
            failureOf(retry(config -> config.budget(shared)));
            assertThat(attempts).hasValue(2);
        }

        @Test
        void is_not_asked_for_an_attempt_that_would_not_be_made_anyway() {
            RetryBudget budget = RetryBudget.of("b", 0, 0, 100, environment);
            failureOf(retry(config -> config.budget(budget).maxAttempts(1)));
            failureOf(retry(config -> config.budget(budget).totalTime(Duration.ofMillis(500))));
            failureOf(retry(config ->
                    config.budget(budget).outcomes(hint(Duration.ofDays(1).toNanos()))));
            failureOf(retry(
                    config -> config.budget(budget).outcomes(rule -> rule.onError(e -> true, Verdict.IGNORED))));
            assertThat(budget.tryWithdraw(100)).isTrue();
        }

        @Test
        void is_paid_by_first_attempts_of_both_kinds_and_by_no_others() {
            RetryBudget budget = RetryBudget.of("b", 0.5, 0, 10, environment);
            assertThat(budget.tryWithdraw(10)).isTrue();
            Retry retry = retry(config -> config.budget(budget));
            retry.call(() -> "yes");
            assertThat(metrics(retry)).containsEntry("budget.credit", 0.5);
            retry.callAsync(() -> CompletableFuture.completedFuture("yes"));
            assertThat(metrics(retry)).containsEntry("budget.credit", 1.0);
            failureOf(retry);
            assertThat(metrics(retry))
                    .as("1.5, of which one extra attempt took 1")
                    .containsEntry("budget.credit", 0.5);
        }

        @Test
        void is_kept_by_asynchronous_calls() {
            Retry retry = retry(config -> config.budget(RetryBudget.of("b", 0, 0, 1, environment)));
            CompletableFuture<String> future = retry.callAsync(
                    () -> CompletableFuture.failedFuture(new IOException("failure " + attempts.incrementAndGet())));
            time.advance(Duration.ofSeconds(1));
            assertThat(future).isCompletedExceptionally();
            assertThat(attempts).hasValue(2);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void unlimited_never_stops_a_task_that_must_not_end() {
            Retry retry = retry(config ->
                    config.budget(RetryBudget.unlimited()).maxAttempts(5_000).backoff(Backoff.fixed(Duration.ZERO)));
            failureOf(retry);
            assertThat(attempts).hasValue(5_000);
        }

        @Test
        void that_throws_does_not_hide_the_failure() {
            Throwable thrown = failureOf(retry(config -> config.budget(new BrokenBudget())));
            assertThat(thrown).hasMessage("broken");
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("failure 1");
        }

        /** Any traffic, any outcomes, any settings. */
        @Property(tries = 100)
        void extra_attempts_never_exceed_it(
                @ForAll @DoubleRange(min = 0, max = 1) double ratio,
                @ForAll @IntRange(max = 20) int minPerSecond,
                @ForAll @IntRange(min = 1, max = 20) int reserve,
                @ForAll @IntRange(min = 1, max = 6) int most,
                @ForAll @Size(max = 200) List<@IntRange(min = 0, max = 2_000) Integer> pausesInMillis,
                @ForAll java.util.Random random) {
            ManualTime own = new ManualTime().autoAdvance();
            RetryBudget budget = RetryBudget.of("b", ratio, minPerSecond, reserve, own.environment());
            Retry retry = Retry.of(
                    "r",
                    config -> config.budget(budget)
                            .maxAttempts(most)
                            .backoff(Backoff.decorrelated(Duration.ofMillis(1), Duration.ofMillis(50))),
                    own.environment());
            int calls = 0;
            attempts.set(0);
            for (int pause : pausesInMillis) {
                own.advance(Duration.ofMillis(pause));
                calls++;
                ends(() -> retry.call(() -> random.nextBoolean() ? fail() : "yes " + attempts.incrementAndGet()));
                double allowed = ratio * calls + minPerSecond * own.elapsed().toNanos() / 1e9 + reserve;
                assertThat((double) attempts.get() - calls).isLessThanOrEqualTo(allowed + 1e-6);
            }
        }
    }

    @Nested
    class Pushback {
        @Test
        void is_rounded_up_never_down() {
            Retry retry = retry(config ->
                    config.outcomes(hint(Duration.ofSeconds(2).toNanos() + 1)).hintJitter(0));
            Duration before = time.elapsed();
            failureOf(retry);
            assertThat(time.elapsed().minus(before))
                    .isEqualTo(Duration.ofSeconds(4).plusNanos(2));
        }

        @Test
        void shorter_than_the_backoff_changes_nothing() {
            assertThat(secondsOf(retry(config -> config.outcomes(hint(5))))).isEqualTo(2);
        }

        @Test
        void is_not_the_delay_from_which_a_backoff_draws_the_next() {
            List<Long> previous = new ArrayList<>();
            Backoff recording = new Backoff() {
                @Override
                public long delayNanos(int attempt, RandomGenerator random) {
                    return 7;
                }

                @Override
                public long delayNanos(int attempt, long previousNanos, RandomGenerator random) {
                    previous.add(previousNanos);
                    return 7;
                }
            };
            Duration hint = Duration.ofSeconds(2);
            assertThat(secondsOf(retry(config -> config.backoff(recording)
                            .outcomes(hint(hint.toNanos()))
                            .hintJitter(0))))
                    .isEqualTo(4);
            assertThat(previous).containsExactly(0L, 7L);
        }

        @Test
        void that_says_do_not_retry_is_obeyed_however_long_the_retry_would_wait() {
            Retry patient = retry(config -> config.outcomes(hint(OutcomeRule.DO_NOT_RETRY))
                    .maxHint(Duration.ofSeconds(Long.MAX_VALUE))
                    .backoff(Backoff.fixed(Duration.ZERO)));
            assertThat(failureOf(patient)).hasMessage("failure 1");
            assertThat(metrics(patient)).containsEntry("retry.exhausted", 1.0);
            CompletableFuture<String> future =
                    patient.callAsync(() -> CompletableFuture.failedFuture(new IOException()));
            assertThat(future).isCompletedExceptionally();
        }

        @Test
        void that_does_not_fit_the_deadline_ends_the_call_now() {
            CallContext narrow =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofMillis(1_999), environment.clock()));
            Retry retry =
                    retry(config -> config.outcomes(hint(Duration.ofSeconds(2).toNanos())));
            assertThat(narrow.call(() -> secondsOf(retry)).longValue()).isZero();
            assertThat(attempts).hasValue(1);
        }
    }

    @Nested
    class Throttling {
        private final OutcomeRule throttled = OutcomeRule.standard().onError(e -> true, Verdict.THROTTLED);

        @Test
        void has_a_delay_of_its_own() {
            assertThat(secondsOf(retry(config ->
                            config.outcomes(throttled).throttledBackoff(Backoff.fixed(Duration.ofSeconds(5))))))
                    .isEqualTo(10);
        }

        @Test
        void is_given_half_a_second_at_least_by_default() {
            Retry retry = Retry.of("r", config -> config.maxAttempts(2).outcomes(throttled), environment);
            for (int i = 0; i < 50; i++) {
                Duration before = time.elapsed();
                failureOf(retry);
                assertThat(time.elapsed().minus(before)).isBetween(Duration.ofMillis(500), Duration.ofSeconds(1));
            }
        }

        @Test
        void costs_the_budget_more() {
            RetryBudget budget = RetryBudget.of("b", 0, 0, 5, environment);
            Retry retry =
                    retry(config -> config.outcomes(throttled).budget(budget).maxAttempts(100));
            failureOf(retry);
            assertThat(attempts).as("first, and two at the price of two").hasValue(3);
            assertThat(budget.tryWithdraw(1)).isTrue();
        }

        @Test
        void costs_what_is_set() {
            RetryBudget budget = RetryBudget.of("b", 0, 0, 5, environment);
            failureOf(retry(config ->
                    config.outcomes(throttled).budget(budget).throttledCost(0.5).maxAttempts(100)));
            assertThat(attempts).hasValue(11);
        }
    }

    @Nested
    class Time {
        @Test
        void a_wait_that_ends_with_the_deadline_is_not_begun() {
            CallContext exact =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofSeconds(2), environment.clock()));
            assertThat(exact.call(() -> secondsOf(retry(config -> {}))).longValue())
                    .isEqualTo(1);
            assertThat(attempts).hasValue(2);
        }

        @Test
        void no_attempt_after_the_deadline_even_without_a_wait() {
            Retry eager =
                    retry(config -> config.backoff(Backoff.fixed(Duration.ZERO)).maxAttempts(9));
            CallContext narrow =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofSeconds(2), environment.clock()));
            Throwable thrown = catchThrowable(() -> narrow.call(() -> eager.call(() -> {
                time.advance(Duration.ofSeconds(1));
                return fail();
            })));
            assertThat(thrown).hasMessage("failure 2");
        }

        @Test
        void an_asynchronous_call_does_not_wait_past_its_deadline() {
            CallContext narrow =
                    CallContext.current().withDeadline(Deadline.after(Duration.ofMillis(1_500), environment.clock()));
            CompletableFuture<String> future = narrow.call(() -> retry(config -> {})
                    .callAsync(
                            () -> CompletableFuture.failedFuture(new IOException("x" + attempts.incrementAndGet()))));
            time.advance(Duration.ofSeconds(1));
            assertThat(future).isCompletedExceptionally();
            assertThat(attempts).hasValue(2);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_wait_that_took_too_long_is_not_followed_by_an_attempt() {
            Environment oversleeping = environment.toBuilder()
                    .scheduler(new Oversleeping(environment.scheduler()))
                    .build();
            Retry late = Retry.of(
                    "r",
                    config ->
                            config.backoff(Backoff.fixed(Duration.ofSeconds(1))).totalTime(Duration.ofSeconds(2)),
                    oversleeping);
            assertThat(failureOf(late)).hasMessage("failure 1").hasNoSuppressedExceptions();
            assertThat(metrics(late)).containsEntry("retry.exhausted", 1.0);
        }

        @Test
        void an_attempt_that_found_no_thread_before_the_deadline_is_not_made() {
            List<Runnable> queue = new ArrayList<>();
            Environment busy = environment.toBuilder().executor(queue::add).build();
            Retry late = Retry.of("r", config -> config.backoff(Backoff.fixed(Duration.ofSeconds(1))), busy);
            CompletableFuture<String> future = CallContext.current()
                    .withDeadline(Deadline.after(Duration.ofSeconds(2), environment.clock()))
                    .call(() -> late.callAsync(
                            () -> CompletableFuture.failedFuture(new IOException("x" + attempts.incrementAndGet()))));
            time.advance(Duration.ofSeconds(1));
            assertThat(queue).hasSize(1);
            time.advance(Duration.ofSeconds(1));
            queue.remove(0).run();
            assertThat(future).isCompletedExceptionally();
            assertThat(attempts).hasValue(1);
        }

        @Test
        void an_interrupt_after_a_result_that_is_a_failure_keeps_what_came_before() {
            Retry retry = Retry.of(
                    "r",
                    config -> config.backoff((attempt, random) -> 0)
                            .outcomes(rule -> rule.onResult(String.class, s -> true, Verdict.FAILURE)),
                    environment);
            Throwable thrown = catchThrowable(() -> retry.call(() -> {
                if (attempts.incrementAndGet() == 1) {
                    throw new IOException("first");
                }
                Thread.currentThread().interrupt();
                return "not good";
            }));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown)
                    .isInstanceOf(InterruptedWaitException.class)
                    .hasCauseInstanceOf(InterruptedException.class);
            assertThat(thrown.getSuppressed()).extracting(Throwable::getMessage).containsExactly("first");
        }

        @Test
        void an_interrupt_is_noticed_at_a_wait_of_no_length() {
            Retry eager = retry(config -> config.backoff(Backoff.fixed(Duration.ZERO)));
            Throwable thrown = catchThrowable(() -> eager.call(() -> {
                Thread.currentThread().interrupt();
                return fail();
            }));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(thrown).hasMessage("failure 1");
            assertThat(thrown.getSuppressed()).hasExactlyElementsOfTypes(InterruptedException.class);
        }
    }

    @Nested
    class WhatIsRepeated {
        private int runs(Consumer<RetryConfig.Builder> configure, Operation<?, ?> operation) {
            attempts.set(0);
            Retry retry = retry(configure);
            ends(() -> retry.call(() -> {
                attempts.incrementAndGet();
                return operation.run();
            }));
            return attempts.get();
        }

        @Test
        void is_chosen_by_type() {
            Consumer<RetryConfig.Builder> notIllegal =
                    config -> config.outcomes(rule -> rule.onError(IllegalArgumentException.class, Verdict.IGNORED));
            assertThat(runs(notIllegal, () -> Integer.parseInt("x"))).isOne();
            assertThat(runs(notIllegal, () -> List.of().get(0))).isEqualTo(3);
        }

        @Test
        void is_chosen_by_a_condition() {
            Consumer<RetryConfig.Builder> onlyIo =
                    config -> config.outcomes(rule -> rule.onError(e -> !(e instanceof IOException), Verdict.IGNORED));
            assertThat(runs(onlyIo, () -> Integer.parseInt("x"))).isOne();
            assertThat(runs(onlyIo, () -> {
                        throw new ConnectException();
                    }))
                    .isEqualTo(3);
        }

        @Test
        void is_chosen_by_the_result() {
            assertThat(runs(
                            config ->
                                    config.outcomes(rule -> rule.onResult(Integer.class, n -> n < 0, Verdict.FAILURE)),
                            () -> -1))
                    .isEqualTo(3);
        }

        @Test
        void several_changes_of_the_rule_add_up() {
            Consumer<RetryConfig.Builder> both =
                    config -> config.outcomes(rule -> rule.onError(IOException.class, Verdict.IGNORED))
                            .outcomes(rule -> rule.onResult(Integer.class, n -> n < 0, Verdict.FAILURE));
            assertThat(runs(both, () -> -1)).isEqualTo(3);
            assertThat(runs(both, () -> {
                        throw new IOException();
                    }))
                    .isOne();
        }

        @Test
        void is_never_an_error_not_even_one_in_a_wrapper() {
            assertThat(runs(config -> config.outcomes((result, error) -> Verdict.FAILURE), () -> {
                        throw new CompletionException(new OutOfMemoryError("x"));
                    }))
                    .isOne();
            assertThat(runs(config -> {}, () -> {
                        throw new ExecutionException(new StackOverflowError());
                    }))
                    .isOne();
            assertThat(retry(config -> {}).callAsync(() -> {
                        attempts.incrementAndGet();
                        return CompletableFuture.failedFuture(new CompletionException(new LinkageError()));
                    }))
                    .isCompletedExceptionally();
            assertThat(attempts).hasValue(2);
        }

        @Test
        void is_judged_once_for_each_attempt() {
            AtomicInteger judged = new AtomicInteger();
            OutcomeRule counting = (result, error) -> {
                judged.incrementAndGet();
                return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
            };
            failureOf(retry(config -> config.outcomes(counting)));
            assertThat(judged).hasValue(3);
            retry(config -> config.outcomes(counting)).call(() -> "yes");
            assertThat(judged).hasValue(4);
            retry(config -> config.outcomes(counting)).callAsync(() -> CompletableFuture.completedFuture("yes"));
            assertThat(judged).hasValue(5);
            retry(config -> config.outcomes(counting))
                    .callAsync(() -> CompletableFuture.failedFuture(new IOException()));
            time.advance(Duration.ofSeconds(9));
            assertThat(judged).hasValue(8);
        }

        @Test
        void a_result_that_gets_better_is_the_answer_at_once_and_asynchronously() {
            Consumer<RetryConfig.Builder> atLeastTwo =
                    config -> config.outcomes(rule -> rule.onResult(Integer.class, n -> n < 2, Verdict.FAILURE));
            assertThat(retry(atLeastTwo).call(attempts::incrementAndGet)).isEqualTo(2);
            attempts.set(0);
            CompletableFuture<Integer> future =
                    retry(atLeastTwo).callAsync(() -> CompletableFuture.completedFuture(attempts.incrementAndGet()));
            time.advance(Duration.ofSeconds(9));
            assertThat(future).isCompletedWithValue(2);
        }
    }

    @Nested
    class DelaysThatDependOnTheOneBefore {
        @Test
        void are_shown_it() {
            List<Long> told = new ArrayList<>();
            Backoff tripling = new Backoff() {
                @Override
                public long delayNanos(int attempt, RandomGenerator random) {
                    throw new AssertionError("a retry asks the other one");
                }

                @Override
                public long delayNanos(int attempt, long previousNanos, RandomGenerator random) {
                    told.add(previousNanos);
                    return attempt == 1 ? 7 : 3 * previousNanos;
                }
            };
            failureOf(retry(config -> config.backoff(tripling).maxAttempts(4)));
            assertThat(told).containsExactly(0L, 7L, 21L);
        }

        @Test
        void decorrelated_jitter_grows_over_the_attempts_of_one_call() {
            RecordingListener heard = new RecordingListener();
            Retry retry = Retry.of(
                    "r",
                    config -> config.maxAttempts(30)
                            .backoff(Backoff.decorrelated(Duration.ofMillis(10), Duration.ofSeconds(100))),
                    environment.toBuilder().listener(heard).build());
            failureOf(retry);
            assertThat(heard.events()).hasSize(29);
            assertThat(time.elapsed()).isGreaterThan(Duration.ofSeconds(10));
        }
    }

    /** Sleeps ten times as long. */
    private record Oversleeping(Scheduler scheduler) implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            return scheduler.schedule(task, delayNanos);
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            scheduler.sleep(10 * nanos);
        }

        @Override
        public void park(Object blocker, long nanos) {
            scheduler.park(blocker, nanos);
        }
    }
}
