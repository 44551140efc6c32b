package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Asynchronous calls under a hedge. */
class HedgeTest {
    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();
    private final List<CompletableFuture<String>> attempts = new ArrayList<>();
    private final List<Integer> numbers = new ArrayList<>();
    private final IOException down = new IOException("down");
    private final List<Object> discarded = new ArrayList<>();

    private Hedge hedge(Consumer<HedgeConfig.Builder> configure) {
        return Hedge.of(
                "h",
                c -> configure.accept(
                        c.delay(ofMillis(100)).budget(RetryBudget.unlimited()).discard(discarded::add)),
                environment);
    }

    private CompletableFuture<String> start() {
        CompletableFuture<String> attempt = new CompletableFuture<>();
        attempts.add(attempt);
        numbers.add(CallContext.current().attempt());
        return attempt;
    }

    private Map<String, Double> metrics(Hedge hedge) {
        Map<String, Double> all = new HashMap<>();
        hedge.measure((policy, metric, value) -> all.put(metric, value));
        return all;
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        return FutureWait.failureOf(future);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        for (int i = 0; i < attempts.size(); i++) { // one that fails may start another
            attempts.get(i).completeExceptionally(new IllegalStateException("end of test"));
        }
        time.runReady();
        assertThat(time.pendingTimers()).isZero();
    }

    @Nested
    class WithoutFailures {
        @Test
        void a_call_that_ends_before_the_delay_is_not_hedged() {
            Hedge hedge = hedge(c -> {});
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(99));
            attempts.get(0).complete("yes");
            assertThat(future).isCompletedWithValue("yes");
            assertThat(time.pendingTimers()).isZero();
            assertThat(attempts).hasSize(1);
            assertThat(metrics(hedge)).containsEntry("hedge.fired", 0.0).containsEntry("hedge.delay.nanos", 1e8);
        }

        @Test
        void a_call_that_is_done_at_once_needs_no_timer() {
            CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
            assertThat(hedge(c -> {}).callAsync(() -> done)).isSameAs(done);
        }

        @Test
        void after_the_delay_a_second_attempt_starts_and_its_answer_counts_if_it_is_first() {
            Hedge hedge = hedge(c -> {});
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            assertThat(numbers).containsExactly(1, 2);
            assertThat(heard.events()).containsExactly("hedge h attempt 2 after PT0.1S");
            attempts.get(1).complete("second");
            assertThat(future).isCompletedWithValue("second");
            assertThat(attempts.get(0)).isCancelled();
            assertThat(metrics(hedge)).containsEntry("hedge.fired", 1.0).containsEntry("hedge.won", 1.0);
        }

        @Test
        void the_first_attempt_may_still_win() {
            Hedge hedge = hedge(c -> {});
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            attempts.get(0).complete("first");
            assertThat(future).isCompletedWithValue("first");
            assertThat(attempts.get(1)).isCancelled();
            assertThat(metrics(hedge)).containsEntry("hedge.won", 0.0);
        }

        @Test
        void there_are_never_more_than_the_maximum() {
            CompletableFuture<String> future = hedge(c -> c.maxAttempts(3)).callAsync(HedgeTest.this::start);
            time.advance(ofSeconds(10));
            assertThat(numbers).containsExactly(1, 2, 3);
            assertThat(time.pendingTimers()).isZero();
            attempts.get(2).complete("third");
            assertThat(future).isCompletedWithValue("third");
        }

        @Test
        void without_a_delay_all_start_at_once() {
            hedge(c -> c.maxAttempts(3).delay(Duration.ZERO)).callAsync(HedgeTest.this::start);
            assertThat(numbers).containsExactly(1, 2, 3);
        }

        @Test
        void with_an_endless_delay_none_starts() {
            hedge(c -> c.delay(ofSeconds(Long.MAX_VALUE))).callAsync(HedgeTest.this::start);
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Nested
    class WhenAttemptsFail {
        @Test
        void the_next_starts_at_once() {
            CompletableFuture<String> future = hedge(c -> {}).callAsync(HedgeTest.this::start);
            attempts.get(0).completeExceptionally(down);
            assertThat(numbers).containsExactly(1, 2);
            assertThat(heard.events()).containsExactly("hedge h attempt 2 after PT0S");
            attempts.get(1).complete("second");
            assertThat(future).isCompletedWithValue("second");
        }

        @Test
        void the_delay_begins_anew() {
            hedge(c -> c.maxAttempts(3)).callAsync(HedgeTest.this::start);
            time.advance(ofMillis(50));
            attempts.get(0).completeExceptionally(down);
            time.advance(ofMillis(99));
            assertThat(numbers).hasSize(2);
            time.advance(ofMillis(1));
            assertThat(numbers).hasSize(3);
        }

        @Test
        void one_failure_while_another_is_in_flight_is_no_outcome() {
            CompletableFuture<String> future = hedge(c -> {}).callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            attempts.get(1).completeExceptionally(down);
            assertThat(future).isNotDone();
            attempts.get(0).complete("first");
            assertThat(future).isCompletedWithValue("first");
        }

        @Test
        void the_last_failure_is_given_as_it_is() {
            CompletableFuture<String> future = hedge(c -> c.maxAttempts(3)).callAsync(HedgeTest.this::start);
            IOException second = new IOException("second");
            IOException third = new IOException("third");
            attempts.get(0).completeExceptionally(down);
            attempts.get(1).completeExceptionally(second);
            attempts.get(2).completeExceptionally(third);
            assertThat(failureOf(future)).isSameAs(third);
            assertThat(third).hasNoSuppressedExceptions();
        }

        @Test
        void an_operation_that_throws_before_there_is_a_stage_is_an_attempt_that_fails() {
            int[] calls = new int[1];
            CompletableFuture<String> future = hedge(c -> {}).callAsync(() -> {
                if (calls[0]++ == 0) {
                    throw new IllegalStateException("before");
                }
                return start();
            });
            attempts.get(0).complete("second");
            assertThat(future).isCompletedWithValue("second");
        }

        @Test
        void a_result_that_counts_as_a_failure_is_one_and_returned_if_none_is_better() {
            OutcomeRule rule = OutcomeRule.standard().onResult(String.class, r -> r.startsWith("503"), Verdict.FAILURE);
            CompletableFuture<String> future = hedge(c -> c.outcomes(rule)).callAsync(HedgeTest.this::start);
            attempts.get(0).complete("503 a");
            attempts.get(1).complete("503 b");
            assertThat(future).isCompletedWithValue("503 b");
            assertThat(discarded).containsExactly("503 a");
        }

        @Test
        void an_error_ends_the_call_and_cancels_the_rest() {
            CompletableFuture<String> future = hedge(c -> {}).callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            attempts.get(1).completeExceptionally(new StackOverflowError());
            assertThat(failureOf(future)).isInstanceOf(StackOverflowError.class);
            assertThat(attempts.get(0)).isCancelled();
        }

        @Test
        void a_callers_own_mistake_ends_the_call() {
            CompletableFuture<String> future = hedge(
                            c -> c.outcomes(rule -> rule.onError(IllegalArgumentException.class, Verdict.IGNORED)))
                    .callAsync(HedgeTest.this::start);
            IllegalArgumentException mistake = new IllegalArgumentException("mine");
            attempts.get(0).completeExceptionally(mistake);
            assertThat(failureOf(future)).isSameAs(mistake);
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_refusal_by_a_gate_inside_starts_no_other() {
            Bulkhead full = Bulkhead.of("full", c -> c.maxConcurrent(1), environment);
            full.callAsync(HedgeTest.this::start);
            CompletableFuture<String> future = Pipeline.of(hedge(c -> {}), full).callAsync(HedgeTest.this::start);
            assertThat(failureOf(future)).isInstanceOf(BulkheadFullException.class);
            assertThat(attempts).hasSize(1);
        }
    }

    @Nested
    class WhenTheDependencyAsksForPatience {
        private final OutcomeRule rule = OutcomeRule.standard()
                .onError(IOException.class, Verdict.THROTTLED)
                .retryAfter((result, error) -> error instanceof IOException io ? Long.parseLong(io.getMessage()) : -1);

        private CompletableFuture<String> call() {
            return hedge(c -> c.maxAttempts(4).outcomes(rule)).callAsync(HedgeTest.this::start);
        }

        @Test
        void the_next_attempt_starts_after_what_it_asked_and_not_after_the_delay() {
            CompletableFuture<String> future = call();
            attempts.get(0).completeExceptionally(new IOException("2000000000"));
            time.advance(ofMillis(1999));
            assertThat(attempts).hasSize(1);
            assertThat(future).isNotDone();
            while (attempts.size() < 2) { // within the spread of what it asked
                time.advance(ofMillis(1));
            }
            assertThat(time.elapsed()).isBetween(ofSeconds(2), ofMillis(2500));
            time.advance(ofMillis(100));
            assertThat(attempts).hasSize(3);
        }

        @Test
        void after_do_not_retry_those_in_flight_decide() {
            CompletableFuture<String> future = call();
            time.advance(ofMillis(100));
            attempts.get(1).completeExceptionally(new IOException(Long.toString(OutcomeRule.DO_NOT_RETRY)));
            assertThat(time.pendingTimers()).isZero();
            time.advance(ofSeconds(1));
            assertThat(attempts).hasSize(2);
            attempts.get(0).complete("first");
            assertThat(future).isCompletedWithValue("first");
        }

        @Test
        void a_throttled_attempt_without_a_hint_is_the_last() {
            CompletableFuture<String> future = call();
            attempts.get(0).completeExceptionally(new IOException("-1"));
            assertThat(failureOf(future)).isInstanceOf(IOException.class);
            assertThat(attempts).hasSize(1);
        }

        @Test
        void a_wait_that_does_not_fit_into_the_deadline_ends_the_call() {
            Deadline deadline = Deadline.after(ofSeconds(1), environment.clock());
            CompletableFuture<String> future =
                    CallContext.current().withDeadline(deadline).call(this::call);
            attempts.get(0).completeExceptionally(new IOException("2000000000"));
            assertThat(failureOf(future)).isInstanceOf(IOException.class);
        }

        @Test
        void a_cancel_ends_the_wait() {
            CompletableFuture<String> future = call();
            attempts.get(0).completeExceptionally(new IOException("2000000000"));
            future.cancel(true);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_cancel_from_further_out_ends_the_wait_and_the_call() {
            Timeout timeout = Timeout.of("t", ofSeconds(1), environment);
            CompletableFuture<String> future = Pipeline.of(timeout, Hedge.of("h", c -> c.outcomes(rule), environment))
                    .callAsync(HedgeTest.this::start);
            attempts.get(0).completeExceptionally(new IOException("500000000"));
            future.cancel(true);
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Nested
    class WhatMayNotBeHedged {
        @Test
        void a_call_that_is_not_idempotent_is_run_once() {
            CompletableFuture<String> future = CallContext.current()
                    .withIdempotent(false)
                    .call(() -> hedge(c -> {}).callAsync(HedgeTest.this::start));
            time.advance(ofSeconds(1));
            attempts.get(0).completeExceptionally(down);
            assertThat(attempts).hasSize(1);
            assertThat(failureOf(future)).isSameAs(down);
        }

        @Test
        void no_attempt_starts_after_the_deadline() {
            Deadline deadline = Deadline.after(ofMillis(100), environment.clock());
            CompletableFuture<String> future = CallContext.current()
                    .withDeadline(deadline)
                    .call(() -> hedge(c -> {}).callAsync(HedgeTest.this::start));
            assertThat(time.pendingTimers()).isZero();
            time.advance(ofMillis(100));
            attempts.get(0).completeExceptionally(down);
            assertThat(attempts).hasSize(1);
            assertThat(failureOf(future)).isSameAs(down);
        }

        @Test
        void a_retry_inside_leaves_repeating_to_the_hedge() {
            Retry retry = Retry.of("r", c -> c.backoff(Backoff.fixed(ofMillis(1))), environment);
            CompletableFuture<String> future =
                    Pipeline.of(hedge(c -> {}), retry).callAsync(HedgeTest.this::start);
            attempts.get(0).completeExceptionally(down);
            time.advance(ofSeconds(1));
            attempts.get(1).completeExceptionally(new IOException("too"));
            time.advance(ofSeconds(1));
            assertThat(attempts).hasSize(2);
            assertThat(future).isCompletedExceptionally();
        }

        @Test
        void a_retry_outside_has_the_attempts_that_the_hedge_has_left() {
            Retry retry =
                    Retry.of("r", c -> c.backoff(Backoff.fixed(ofMillis(1))).maxAttempts(3), environment);
            CompletableFuture<String> future =
                    Pipeline.of(retry, hedge(c -> {})).callAsync(HedgeTest.this::start);
            for (int i = 0; i < 3; i++) {
                attempts.get(i).completeExceptionally(new IOException("no " + i));
                time.advance(ofMillis(1));
            }
            assertThat(attempts).hasSize(3);
            assertThat(failureOf(future)).hasMessage("no 2");
        }
    }

    @Nested
    class WithABudget {
        private final RetryBudget none = new RetryBudget() {
            @Override
            public String name() {
                return "none";
            }

            @Override
            public void onFirstAttempt() {
                first++;
            }

            @Override
            public boolean tryWithdraw(double cost) {
                return false;
            }

            @Override
            public void measure(Sink sink) {}
        };
        private int first;

        @Test
        void that_is_used_up_the_first_attempt_decides_alone() {
            Hedge hedge = hedge(c -> c.budget(none));
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofSeconds(1));
            assertThat(attempts).hasSize(1);
            assertThat(metrics(hedge)).containsEntry("hedge.refused", 1.0).containsEntry("hedge.fired", 0.0);
            attempts.get(0).complete("first");
            assertThat(future).isCompletedWithValue("first");
        }

        @Test
        void that_is_used_up_a_failure_ends_the_call_there_and_then() {
            CompletableFuture<String> future = hedge(c -> c.budget(none)).callAsync(HedgeTest.this::start);
            attempts.get(0).completeExceptionally(down);
            assertThat(failureOf(future)).isSameAs(down);
        }

        @Test
        void that_was_denied_before_a_failure_ends_the_call_too() {
            CompletableFuture<String> future = hedge(c -> c.budget(none)).callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            attempts.get(0).completeExceptionally(down);
            assertThat(failureOf(future)).isSameAs(down);
        }

        @Test
        void that_is_shared_with_a_retry_outside_a_call_is_counted_once() {
            Hedge hedge = hedge(c -> c.budget(none));
            hedge.callAsync(HedgeTest.this::start);
            assertThat(first).isEqualTo(1);
            Retry retry = Retry.of("r", c -> c.budget(none), environment);
            Pipeline.of(retry, hedge).callAsync(HedgeTest.this::start);
            assertThat(first).isEqualTo(2);
        }

        @Test
        void that_throws_fails_the_future() {
            IllegalStateException broken = new IllegalStateException("broken");
            RetryBudget rude = new RetryBudget() {
                @Override
                public String name() {
                    return "rude";
                }

                @Override
                public void onFirstAttempt() {
                    throw broken;
                }

                @Override
                public boolean tryWithdraw(double cost) {
                    throw broken;
                }

                @Override
                public void measure(Sink sink) {}
            };
            assertThat(failureOf(hedge(c -> c.budget(rude)).callAsync(HedgeTest.this::start)))
                    .isSameAs(broken);
        }

        @Test
        void of_its_own_extra_attempts_are_bounded() {
            Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(1)), environment);
            for (int i = 0; i < 100; i++) {
                hedge.callAsync(HedgeTest.this::start);
            }
            time.advance(ofMillis(1));
            assertThat(attempts.size()).isLessThanOrEqualTo(100 + 10 + 10 + 1);
            assertThat(metrics(hedge).get("hedge.refused")).isGreaterThan(70);
        }
    }

    @Nested
    class CutShort {
        @Test
        void an_attempt_that_runs_is_not_taken_back_when_a_clock_throws_after_its_start() {
            AtomicBoolean broken = new AtomicBoolean();
            Deadline deadline = Deadline.after(ofSeconds(1), () -> {
                if (broken.get()) {
                    throw new IllegalStateException("no time");
                }
                return time.nanoTime();
            });
            CompletableFuture<String> future = CallContext.current()
                    .withDeadline(deadline)
                    .call(() -> hedge(c -> c.maxAttempts(3)).callAsync(() -> {
                        broken.set(attempts.size() == 1);
                        return start();
                    }));
            time.advance(ofMillis(100));
            broken.set(false);
            attempts.get(0).completeExceptionally(down);
            assertThat(future).isNotDone();
            attempts.get(1).complete("second");
            assertThat(future).isCompletedWithValue("second");
        }

        @Test
        void a_cancel_reaches_all_attempts_and_the_timer() {
            CompletableFuture<String> future = hedge(c -> c.maxAttempts(3)).callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            future.cancel(true);
            assertThat(attempts).hasSize(2).allMatch(CompletableFuture::isCancelled);
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_future_that_is_completed_from_outside_ends_the_attempts() {
            CompletableFuture<String> future = hedge(c -> {}).callAsync(HedgeTest.this::start);
            future.complete("by completeOnTimeout or its like");
            assertThat(attempts.get(0)).isCancelled();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_cancel_while_the_second_attempt_waits_for_a_thread_starts_none() {
            List<Runnable> tasks = new ArrayList<>();
            Hedge hedge = Hedge.of(
                    "h",
                    c -> c.delay(ofMillis(100)),
                    environment.toBuilder().executor(tasks::add).build());
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            future.cancel(true);
            tasks.forEach(Runnable::run);
            assertThat(attempts).hasSize(1);
        }

        @Test
        void permits_inside_are_held_until_the_work_has_ended() {
            Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(2), environment);
            List<CompletableFuture<String>> stubborn = new ArrayList<>();
            CompletableFuture<String> future = Pipeline.of(hedge(c -> {}), bulkhead)
                    .callAsync(() -> {
                        stubborn.add(new CompletableFuture<>());
                        return stubborn.get(stubborn.size() - 1).minimalCompletionStage();
                    });
            time.advance(ofMillis(100));
            stubborn.get(1).complete("second");
            assertThat(future).isCompletedWithValue("second");
            assertThat(bulkhead.inFlight()).isEqualTo(1);
            stubborn.get(0).complete("late");
            assertThat(bulkhead.inFlight()).isZero();
            assertThat(discarded).containsExactly("late");
        }

        @Test
        void a_timeout_outside_waits_for_none_and_gates_between_for_all() {
            Bulkhead between = Bulkhead.of("b", c -> c.maxConcurrent(1), environment);
            List<CompletableFuture<String>> stubborn = new ArrayList<>();
            CompletableFuture<String> future = Pipeline.of(
                            Timeout.of("t", ofSeconds(1), environment), between, hedge(c -> {}))
                    .callAsync(() -> {
                        stubborn.add(new CompletableFuture<>());
                        return stubborn.get(stubborn.size() - 1).minimalCompletionStage();
                    });
            time.advance(ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(stubborn).hasSize(2);
            assertThat(between.inFlight()).isEqualTo(1);
            stubborn.get(0).complete("late");
            assertThat(between.inFlight()).isEqualTo(1);
            stubborn.get(1).completeExceptionally(down);
            assertThat(between.inFlight()).isZero();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void an_executor_that_takes_no_work_costs_no_call() {
            Hedge hedge = Hedge.of(
                    "h",
                    c -> c.delay(ofMillis(100)),
                    environment.toBuilder()
                            .executor(task -> {
                                throw new RejectedExecutionException("full");
                            })
                            .build());
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(100));
            attempts.get(0).completeExceptionally(down);
            assertThat(failureOf(future)).isSameAs(down);
        }

        @Test
        void a_source_that_is_cancelled_by_itself_ends_the_call() {
            CompletableFuture<String> future = hedge(c -> {}).callAsync(HedgeTest.this::start);
            attempts.get(0).cancel(true);
            assertThat(failureOf(future)).isInstanceOf(CancellationException.class);
            assertThat(attempts).hasSize(1);
        }
    }

    @Nested
    class AtAPercentile {
        private Hedge hedge(int samples) {
            return Hedge.of(
                    "h",
                    c -> c.delayAtPercentile(0.9)
                            .minSamples(samples)
                            .delayBetween(ofMillis(5), ofMillis(800))
                            .budget(RetryBudget.unlimited()),
                    environment);
        }

        private void callThatTakes(Hedge hedge, int millis) {
            CompletableFuture<String> future = hedge.callAsync(HedgeTest.this::start);
            CompletableFuture<String> attempt = attempts.get(attempts.size() - 1);
            time.advance(ofMillis(millis));
            attempt.complete("yes");
            assertThat(future).isDone();
        }

        @Test
        void the_longest_delay_is_the_delay_while_there_are_too_few_latencies() {
            Hedge hedge = hedge(10);
            for (int i = 0; i < 9; i++) {
                callThatTakes(hedge, 20);
            }
            assertThat(metrics(hedge)).containsEntry("hedge.delay.nanos", 8e8);
            callThatTakes(hedge, 20);
            assertThat(metrics(hedge).get("hedge.delay.nanos")).isBetween(2e7, 2.125e7);
        }

        @Test
        void calls_slower_than_most_are_hedged() {
            Hedge hedge = hedge(10);
            for (int i = 0; i < 10; i++) {
                callThatTakes(hedge, 10 * (i + 1));
            }
            attempts.clear();
            hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(89));
            assertThat(attempts).hasSize(1);
            time.advance(ofMillis(7));
            assertThat(attempts).hasSize(2);
        }

        @Test
        void a_first_attempt_that_was_beaten_counts_as_slow() {
            Hedge hedge = hedge(1);
            callThatTakes(hedge, 10);
            attempts.clear();
            hedge.callAsync(HedgeTest.this::start);
            time.advance(ofMillis(500));
            attempts.get(1).complete("second");
            assertThat(metrics(hedge).get("hedge.delay.nanos")).isGreaterThanOrEqualTo(5e8);
        }

        @Test
        void the_shortest_delay_holds() {
            Hedge hedge = hedge(1);
            callThatTakes(hedge, 0);
            assertThat(metrics(hedge)).containsEntry("hedge.delay.nanos", 5e6);
        }
    }

    @Nested
    class Settings {
        @Test
        void are_refused_with_name_bound_and_value() {
            assertThatThrownBy(() -> hedge(c -> c.maxAttempts(0)))
                    .hasMessage("hedge \"h\": maxAttempts must be from 1 to 16, but was 0");
            assertThatThrownBy(() -> hedge(c -> c.delayBetween(ofSeconds(2), ofSeconds(1))))
                    .hasMessage("hedge \"h\": max must be at least min 2s, but was 1s");
            assertThatThrownBy(() -> hedge(c -> c.delayAtPercentile(95)))
                    .hasMessage("hedge \"h\": percentile must be more than 0 and at most 1, but was 95.0");
        }

        @Test
        void survive_the_round_trip() {
            HedgeConfig config =
                    HedgeConfig.builder().maxAttempts(3).delay(ofSeconds(3)).window(ofSeconds(9)).build().toBuilder()
                            .build();
            assertThat(config.maxAttempts()).isEqualTo(3);
            assertThat(config.delay()).isEqualTo(ofSeconds(3));
            assertThat(config.window()).isEqualTo(ofSeconds(9));
        }

        @Test
        void a_pipeline_prints_it() {
            assertThat(Pipeline.of(hedge(c -> {}))).hasToString("hedge(call)");
        }
    }
}
