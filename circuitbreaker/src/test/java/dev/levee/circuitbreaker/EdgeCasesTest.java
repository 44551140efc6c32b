package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * The ten hardest cases of resilience policies, as far as they concern a breaker. The fourth, a waiter that gives up
 * while a permit is handed over, does not: a breaker has no waiters.
 */
class EdgeCasesTest {
    private final ManualTime time = new ManualTime();

    private CircuitBreaker breaker(Consumer<CircuitBreakerConfig.Builder> configure) {
        return CircuitBreaker.of("b", configure, time.environment());
    }

    /** Half-open with two probes, of which none may fail; was open for ten seconds. */
    private CircuitBreaker halfOpen(Consumer<CircuitBreakerConfig.Builder> configure) {
        CircuitBreaker breaker = breaker(c -> {
            c.consecutiveFailures(1)
                    .openFor(Duration.ofSeconds(10))
                    .halfOpenCalls(2)
                    .probeLease(Duration.ofSeconds(10));
            configure.accept(c);
        });
        Calls.fail(breaker, 1);
        time.advance(Duration.ofSeconds(10));
        assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        return breaker;
    }

    private CircuitBreaker halfOpen() {
        return halfOpen(c -> {});
    }

    private static int freePermits(CircuitBreaker breaker) {
        int free = 0;
        while (Calls.enter(breaker) != Gate.REFUSED) {
            free++;
        }
        return free;
    }

    @Nested
    class Case1ResultAfterTheStateChanged {
        private final CircuitBreaker breaker =
                breaker(c -> c.countWindow(4).openFor(Duration.ofSeconds(10)).halfOpenCalls(2));
        private final long[] late = {Calls.enter(breaker), Calls.enter(breaker), Calls.enter(breaker)};

        @Test
        void two_late_successes_do_not_close_a_half_open_breaker() {
            Calls.fail(breaker, 4);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.end(breaker, late[0], Verdict.SUCCESS);
            Calls.end(breaker, late[1], Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        }

        @Test
        void late_failures_do_not_open_a_half_open_breaker_nor_a_closed_one() {
            Calls.fail(breaker, 4);
            time.advance(Duration.ofSeconds(10));
            Calls.end(breaker, late[0], Verdict.FAILURE);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.end(breaker, late[1], Verdict.FAILURE);
            assertThat(breaker.snapshot().calls()).isZero();
        }

        @Test
        void late_failures_do_not_extend_the_open_time_whatever_they_hint() {
            CircuitBreaker hinted = breaker(c ->
                    c.consecutiveFailures(1).openFor(Duration.ofSeconds(10)).openForHint(Duration.ofDays(1)));
            long lateHint = Calls.enter(hinted);
            Calls.fail(hinted, 1);
            time.advance(Duration.ofSeconds(4));
            hinted.exit(lateHint, 0, 0, Verdict.THROTTLED, Duration.ofDays(1).toNanos());
            assertThat(hinted.refusal().retryAfterNanos())
                    .isEqualTo(Duration.ofSeconds(6).toNanos());
        }

        @Test
        void totals_know_them() {
            CircuitBreaker counting = breaker(c -> c.consecutiveFailures(1).totals(true));
            long first = Calls.enter(counting);
            Calls.fail(counting, 1);
            Calls.end(counting, first, Verdict.SUCCESS);
            assertThat(Readings.of(counting))
                    .containsEntry("breaker.calls.late", 1.0)
                    .containsEntry("breaker.calls.succeeded", 1.0);
        }
    }

    @Nested
    class Case2ProbeThatNeverCompletes {
        @Test
        void a_hanging_probe_is_given_up_when_its_lease_expires() {
            CircuitBreaker breaker = halfOpen();
            CompletableFuture<String> hanging = new CompletableFuture<>();
            breaker.callAsync(() -> hanging);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(OPEN);
            time.advance(Duration.ofSeconds(10));
            hanging.complete("at last");
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(breaker.snapshot().calls()).isZero();
            assertThat(freePermits(breaker)).isEqualTo(2);
        }

        @Test
        void or_gives_its_permit_to_another() {
            CircuitBreaker breaker = halfOpen(c -> c.expiredProbesFail(false));
            breaker.callAsync(CompletableFuture::new);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(freePermits(breaker)).isEqualTo(2);
        }

        @Test
        void a_decision_that_was_cut_short_is_made_up_for_when_the_lease_is_over() {
            AtomicInteger draws = new AtomicInteger();
            RandomGenerator failing = () -> {
                if (draws.incrementAndGet() == 2) {
                    throw new OutOfMemoryError("in the middle of opening again");
                }
                return 0;
            };
            CircuitBreaker breaker = CircuitBreaker.of(
                    "b",
                    c -> c.consecutiveFailures(1)
                            .halfOpenCalls(1)
                            .openFor(Duration.ofSeconds(10))
                            .probeLease(Duration.ofSeconds(10))
                            .openJitter(0.1),
                    time.environment().toBuilder().random(failing).build());
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            assertThatThrownBy(() -> Calls.fail(breaker, 1)).isInstanceOf(OutOfMemoryError.class);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_probe_that_throws_an_error_has_failed() {
            CircuitBreaker breaker = halfOpen();
            assertThatThrownBy(() -> breaker.run(() -> {
                        throw new AssertionError("an Error");
                    }))
                    .isInstanceOf(AssertionError.class);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_probe_that_an_inner_policy_refuses_gives_its_permit_back_uncounted() {
            CircuitBreaker breaker = halfOpen();
            Bulkhead full = Bulkhead.of("full", c -> c.maxConcurrent(1), time.environment());
            full.tryEnter(0);
            Pipeline pipeline = Pipeline.of(breaker, full);
            for (int i = 0; i < 10; i++) {
                assertThatThrownBy(() -> pipeline.run(() -> {})).isInstanceOf(BulkheadFullException.class);
            }
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(breaker.snapshot().calls()).isZero();
            assertThat(freePermits(breaker)).isEqualTo(2);
        }
    }

    @Nested
    class Case3PermitConservation {
        @Test
        void ignored_errors_of_old_calls_grant_nothing() {
            CircuitBreaker breaker = breaker(c ->
                    c.consecutiveFailures(1).openFor(Duration.ofSeconds(10)).halfOpenCalls(2));
            long[] old = {Calls.enter(breaker), Calls.enter(breaker), Calls.enter(breaker)};
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            long probe = Calls.enter(breaker);
            for (long stamp : old) {
                Calls.end(breaker, stamp, Verdict.IGNORED);
            }
            assertThat(freePermits(breaker)).isOne();
            Calls.end(breaker, probe, Verdict.IGNORED);
            assertThat(freePermits(breaker)).isOne();
        }

        @Test
        void a_permit_given_back_twice_is_one_permit() {
            CircuitBreaker breaker = halfOpen();
            long first = Calls.enter(breaker);
            Calls.end(breaker, first, Verdict.IGNORED);
            Calls.enter(breaker);
            Calls.end(breaker, first, Verdict.IGNORED);
            Calls.end(breaker, first, Verdict.FAILURE);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(freePermits(breaker)).isOne();
        }

        @Test
        void a_stage_that_completes_twice_counts_once() {
            CircuitBreaker breaker = halfOpen();
            CompletableFuture<String> stage = new CompletableFuture<>();
            breaker.callAsync(() -> stage);
            stage.complete("first");
            stage.obtrudeException(new IOException("second"));
            assertThat(breaker.snapshot().calls()).isOne();
            assertThat(breaker.snapshot().failures()).isZero();
        }

        @Test
        void a_supplier_that_throws_or_returns_null_is_a_failed_probe() {
            CircuitBreaker throwing = halfOpen();
            throwing.callAsync((Supplier<CompletionStage<String>>) () -> {
                throw new StackOverflowError();
            });
            assertThat(throwing.state()).isEqualTo(OPEN);
            CircuitBreaker none = halfOpen();
            none.callAsync((Supplier<CompletionStage<String>>) () -> null);
            assertThat(none.state()).isEqualTo(OPEN);
        }

        @Test
        void of_a_rule_that_throws_the_default_judges_the_probe() {
            CircuitBreaker breaker = halfOpen(c -> c.outcomes((result, error) -> {
                throw new IllegalStateException("bad rule");
            }));
            assertThat(breaker.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
            assertThat(breaker.state()).isEqualTo(HALF_OPEN); // a success of two
            assertThat(freePermits(breaker)).isEqualTo(1);
        }
    }

    @Nested
    class Case5CancellingTheFuture {
        @Test
        void is_neither_success_nor_failure_and_gives_the_permit_back() {
            CircuitBreaker breaker = halfOpen();
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = breaker.callAsync(() -> work);
            future.cancel(true);
            assertThat(work).isCancelled();
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(breaker.snapshot().calls()).isZero();
            assertThat(freePermits(breaker)).isEqualTo(2);
        }

        @Test
        void keeps_the_permit_until_work_that_cannot_be_stopped_ends() {
            CircuitBreaker breaker = halfOpen();
            CompletableFuture<String> work = new CompletableFuture<>();
            breaker.callAsync(work::minimalCompletionStage).cancel(true);
            long second = Calls.enter(breaker);
            assertThat(second).isNotEqualTo(Gate.REFUSED);
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            work.complete("unused");
            assertThat(freePermits(breaker)).isOne();
        }
    }

    @Nested
    class Case6TimeoutThatDoesNotStopTheWork {
        @Test
        void is_recorded_once_at_the_deadline_and_the_late_outcome_is_not() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10).minCalls(10));
            Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), time.environment());
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = Pipeline.of(breaker, timeout).callAsync(work::minimalCompletionStage);
            time.advance(Duration.ofSeconds(1));
            assertThat(future).isCompletedExceptionally();
            assertThat(breaker.snapshot().failures()).isOne();
            work.complete("late");
            assertThat(breaker.snapshot().calls()).isOne();
            assertThat(breaker.snapshot().failures()).isOne();
        }

        @Test
        void counts_as_failure_for_a_breaker_inside_the_timeout_too() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10).minCalls(10));
            Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), time.environment());
            CompletableFuture<String> work = new CompletableFuture<>();
            CompletableFuture<String> future = Pipeline.of(timeout, breaker).callAsync(() -> work);
            time.advance(Duration.ofSeconds(1));
            assertThatThrownBy(future::join).hasCauseInstanceOf(TimedOutException.class);
            assertThat(work).isCancelled();
            assertThat(breaker.snapshot().failures()).isOne();
        }
    }

    @Nested
    class Case7Time {
        @Test
        void readings_may_be_negative_and_wrap() {
            for (long origin : new long[] {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE - 5_000_000_000L, Long.MAX_VALUE}) {
                ManualTime wrapping = ManualTime.startingAt(origin);
                CircuitBreaker breaker = CircuitBreaker.of(
                        "b",
                        c -> c.timeWindow(Duration.ofSeconds(10))
                                .minCalls(2)
                                .openFor(Duration.ofSeconds(10))
                                .halfOpenCalls(1),
                        wrapping.environment());
                Calls.fail(breaker, 1);
                wrapping.advance(Duration.ofSeconds(9));
                Calls.fail(breaker, 1);
                assertThat(breaker.state()).as("origin %d", origin).isEqualTo(OPEN);
                assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(10_000_000_000L);
                wrapping.advance(Duration.ofSeconds(10));
                Calls.succeed(breaker, 1);
                assertThat(breaker.state()).isEqualTo(CLOSED);
            }
        }

        @Test
        void huge_durations_mean_never() {
            Duration huge = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
            CircuitBreaker breaker = breaker(c -> c.timeWindow(huge)
                    .minCalls(2)
                    .slowCallRate(1)
                    .slowCallDuration(huge)
                    .openFor(huge, 2, huge)
                    .openForHint(huge)
                    .probeLease(huge));
            breaker.run(() -> time.advance(Duration.ofDays(36_500)));
            assertThat(breaker.snapshot().slowCalls()).isZero();
            assertThat(breaker.snapshot().calls()).isOne();
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
            time.advance(Duration.ofDays(36_500));
            time.advance(Duration.ofDays(36_500));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_window_is_empty_after_a_long_pause_whatever_was_in_it() {
            CircuitBreaker breaker =
                    breaker(c -> c.timeWindow(Duration.ofSeconds(10)).minCalls(1000));
            for (int second = 0; second < 30; second++) {
                Calls.fail(breaker, 3);
                time.advance(Duration.ofSeconds(1));
            }
            assertThat(breaker.snapshot().calls()).isEqualTo(27);
            time.advance(Duration.ofDays(2));
            assertThat(breaker.snapshot().calls()).isZero();
            Calls.fail(breaker, 1);
            assertThat(breaker.snapshot().calls()).isOne();
        }
    }

    @Nested
    class Case8ArithmeticOfGrowingOpenTimes {
        @Test
        void is_capped_however_often_it_reopens() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1)
                    .halfOpenCalls(1)
                    .openFor(Duration.ofSeconds(1), 10, Duration.ofMinutes(1)));
            Calls.fail(breaker, 1);
            for (int i = 0; i < 1000; i++) {
                time.advance(Duration.ofMinutes(1));
                Calls.fail(breaker, 1);
            }
            assertThat(breaker.refusal().retryAfterNanos())
                    .isEqualTo(Duration.ofMinutes(1).toNanos());
        }

        @Test
        void is_spread_below_the_cap_not_at_it() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1)
                    .halfOpenCalls(1)
                    .openFor(Duration.ofMinutes(1))
                    .openJitter(0.5));
            for (int i = 0; i < 100; i++) {
                Calls.fail(breaker, 1);
                assertThat(breaker.refusal().retryAfterNanos())
                        .isBetween(
                                Duration.ofSeconds(30).toNanos(),
                                Duration.ofMinutes(1).toNanos() - 1);
                time.advance(Duration.ofMinutes(1));
            }
        }
    }

    @Nested
    class Case9NestedPolicies {
        private final AtomicInteger attempts = new AtomicInteger();

        private Retry retry(Duration total) {
            return Retry.of(
                    "r",
                    c -> c.maxAttempts(3)
                            .backoff(Backoff.fixed(Duration.ofMillis(10)))
                            .totalTime(total),
                    time.environment());
        }

        private String fail() throws IOException {
            attempts.incrementAndGet();
            throw new IOException("down");
        }

        @Test
        void a_breaker_outside_a_retry_counts_one_outcome_for_a_call() {
            time.autoAdvance();
            CircuitBreaker breaker = breaker(c -> {});
            assertThatThrownBy(() ->
                            Pipeline.of(breaker, retry(Duration.ofMinutes(1))).call(this::fail))
                    .isInstanceOf(IOException.class);
            assertThat(attempts).hasValue(3);
            assertThat(breaker.snapshot().failures()).isOne();
        }

        @Test
        void a_retry_outside_a_breaker_does_not_wait_longer_than_it_may_for_it_to_let_calls_through() {
            time.autoAdvance();
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1).openFor(Duration.ofSeconds(30)));
            Calls.fail(breaker, 1);
            assertThatThrownBy(() ->
                            Pipeline.of(retry(Duration.ofSeconds(1)), breaker).call(this::fail))
                    .isInstanceOf(CircuitOpenException.class);
            assertThat(attempts).as("the call never ran").hasValue(0);
            assertThat(time.elapsed()).isLessThan(Duration.ofSeconds(1));
        }

        @Test
        void a_refusal_by_an_inner_breaker_is_no_evidence_for_the_outer_one() {
            CircuitBreaker outer = breaker(c -> c.consecutiveFailures(1));
            CircuitBreaker inner = breaker(c -> c.consecutiveFailures(1));
            inner.forceOpen();
            assertThatThrownBy(() -> Pipeline.of(outer, inner).run(() -> {})).isInstanceOf(CircuitOpenException.class);
            assertThat(outer.state()).isEqualTo(CLOSED);
            assertThat(outer.snapshot().calls()).isZero();
        }
    }

    @Nested
    class Case10TransitionsAndUserCode {
        @Test
        void a_manual_state_beats_an_automatic_change_that_was_decided_before_it() {
            // Jitter is drawn when it is decided that the breaker opens and before it does.
            CircuitBreaker[] self = new CircuitBreaker[1];
            RandomGenerator intervening = () -> {
                self[0].forceOpen();
                return 0;
            };
            self[0] = CircuitBreaker.of(
                    "b",
                    c -> c.consecutiveFailures(1).openJitter(0.1),
                    time.environment().toBuilder().random(intervening).build());
            Calls.fail(self[0], 1);
            assertThat(self[0].state()).isEqualTo(FORCED_OPEN);
            time.advance(Duration.ofDays(1));
            assertThat(self[0].state()).isEqualTo(FORCED_OPEN);
        }

        @Test
        void the_open_time_of_an_earlier_epoch_ends_nothing() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1).openFor(Duration.ofSeconds(10)));
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(9));
            breaker.reset();
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(1));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_predicate_that_throws_does_not_apply() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1)
                    .outcomes(OutcomeRule.standard()
                            .onResult(
                                    String.class,
                                    s -> {
                                        throw new IllegalStateException("bad predicate");
                                    },
                                    Verdict.IGNORED)));
            assertThat(breaker.<String, RuntimeException>call(() -> "fine")).isEqualTo("fine");
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }
    }
}
