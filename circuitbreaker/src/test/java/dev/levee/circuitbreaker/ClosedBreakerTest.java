package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a closed breaker counts, and when it opens. */
class ClosedBreakerTest extends BreakerFixture {
    @Nested
    class ByDefault {
        private final CircuitBreaker breaker = CircuitBreaker.of("payments", c -> {}, time.environment());

        @Test
        void it_is_closed() {
            assertThat(breaker.state()).isEqualTo(CLOSED);
            assertThat(breaker.kind()).isEqualTo(Policy.Kind.BREAKER);
            assertThat(breaker.name()).isEqualTo("payments");
        }

        @Test
        void it_opens_when_half_of_the_calls_failed_but_not_before_twenty_have_ended() {
            Calls.fail(breaker, 19);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void it_looks_at_the_last_hundred_calls() {
            Calls.succeed(breaker, 200);
            Calls.fail(breaker, 49);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void it_stays_open_for_thirty_seconds() {
            Calls.fail(breaker, 20);
            time.advance(Duration.ofSeconds(30).minusNanos(1));
            assertThat(breaker.state()).isEqualTo(OPEN);
            time.advance(Duration.ofNanos(1));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        }

        @Test
        void it_reads_no_clock_for_a_call() {
            assertThat(breaker.timing()).isZero();
        }
    }

    @Nested
    class Closed {
        @ParameterizedTest
        @EnumSource(
                value = Verdict.class,
                names = {"FAILURE", "THROTTLED", "NOT_SENT"})
        void every_kind_of_failure_counts(Verdict verdict) {
            CircuitBreaker breaker = small();
            Calls.succeed(breaker, 2);
            Calls.call(breaker, verdict);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.call(breaker, verdict);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void what_is_ignored_does_not_count() {
            CircuitBreaker breaker = small();
            for (int i = 0; i < 10; i++) {
                assertThat(Calls.call(breaker, Verdict.IGNORED)).isTrue();
            }
            assertThat(breaker.snapshot().calls()).isZero();
        }

        @Test
        void the_limit_itself_opens_and_rates_are_compared_exactly() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(100).minCalls(100).failureRate(0.07));
            Calls.succeed(breaker, 93);
            Calls.fail(breaker, 6);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_success_that_makes_up_the_minimum_opens_it() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10).minCalls(3));
            Calls.fail(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void an_error_counts_as_failure() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1));
            assertThatThrownBy(() -> breaker.run(() -> {
                        throw new StackOverflowError();
                    }))
                    .isInstanceOf(StackOverflowError.class);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_result_can_count_as_failure() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1)
                    .outcomes(OutcomeRule.standard().onResult(Integer.class, code -> code == 503, Verdict.THROTTLED)));
            assertThat(breaker.<Integer, RuntimeException>call(() -> 200)).isEqualTo(200);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            assertThat(breaker.<Integer, RuntimeException>call(() -> 503)).isEqualTo(503);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_type_of_exception_can_be_ignored_and_another_found_by_a_predicate() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1)
                    .outcomes(OutcomeRule.standard()
                            .onError(RuntimeException.class, Verdict.IGNORED)
                            .onError(e -> "fatal".equals(e.getMessage()), Verdict.FAILURE)));
            failWith(breaker, new IllegalArgumentException("a mistake of the caller"));
            assertThat(breaker.state()).isEqualTo(CLOSED);
            failWith(breaker, new IllegalArgumentException("fatal"));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_checked_exception_counts_and_comes_through_as_it_is() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1));
            IOException thrown = new IOException("disk");
            assertThat(catchThrowableOfType(
                            IOException.class,
                            () -> breaker.run(() -> {
                                throw thrown;
                            })))
                    .isSameAs(thrown);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_refusal_by_an_inner_policy_is_ignored() {
            CircuitBreaker inner = breaker(c -> c.countWindow(1));
            inner.forceOpen();
            CircuitBreaker outer = breaker(c -> c.countWindow(1));
            assertThatThrownBy(() -> outer.call(() -> inner.call(() -> "never")))
                    .isInstanceOf(CircuitOpenException.class);
            assertThat(outer.state()).isEqualTo(CLOSED);
            assertThat(outer.snapshot().calls()).isZero();
        }

        private void failWith(CircuitBreaker breaker, RuntimeException thrown) {
            assertThatThrownBy(() -> breaker.run(() -> {
                        throw thrown;
                    }))
                    .isSameAs(thrown);
        }
    }

    @Nested
    class ACountWindow {
        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3, 15, 16, 17, 63, 64, 65, 100, 1000, 100_000})
        void holds_exactly_the_last_calls(int size) {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(size).failureRate(1).minCalls(size));
            if (size > 1) {
                Calls.fail(breaker, size - 1);
            }
            Calls.succeed(breaker, 1);
            assertThat(breaker.snapshot().failures()).isEqualTo(size - 1);
            assertThat(breaker.snapshot().calls()).isEqualTo(size);
            if (size > 1) {
                Calls.fail(breaker, size - 1);
                assertThat(breaker.state())
                        .as("the success is still in the window")
                        .isEqualTo(CLOSED);
            }
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void forgets_a_failure_with_the_call_that_pushes_it_out() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(20).minCalls(20));
            Calls.fail(breaker, 1);
            Calls.succeed(breaker, 19);
            assertThat(breaker.snapshot().failures()).isOne();
            Calls.succeed(breaker, 1);
            assertThat(breaker.snapshot().failures()).isZero();
        }
    }

    @Nested
    class ATimeWindow {
        private final CircuitBreaker breaker =
                breaker(c -> c.timeWindow(Duration.ofSeconds(10)).minCalls(4));

        @Test
        void needs_the_end_of_a_call_only() {
            assertThat(breaker.timing()).isEqualTo(Gate.EXIT);
        }

        @Test
        void counts_what_ended_in_the_last_moments() {
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(3));
            Calls.succeed(breaker, 2);
            time.advance(Duration.ofSeconds(7).minusNanos(1));
            assertThat(breaker.snapshot().calls()).isEqualTo(3);
            assertThat(breaker.snapshot().failures()).isOne();
            time.advance(Duration.ofNanos(1));
            assertThat(breaker.snapshot().calls()).isEqualTo(2);
            assertThat(breaker.snapshot().failures()).isZero();
        }

        @Test
        void opens_at_its_rate_and_minimum() {
            Calls.fail(breaker, 2);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void opens_with_a_success_after_older_successes_were_forgotten() {
            Calls.succeed(breaker, 10);
            time.advance(Duration.ofSeconds(5));
            Calls.fail(breaker, 4);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            time.advance(Duration.ofSeconds(5));
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void opens_with_a_success_in_the_very_bucket_in_which_older_successes_are_forgotten() {
            Calls.succeed(breaker, 10);
            time.advance(Duration.ofSeconds(5));
            Calls.fail(breaker, 4);
            time.advance(Duration.ofMillis(4_800));
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            time.advance(Duration.ofMillis(200));
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void forgets_everything_in_a_long_pause() {
            Calls.fail(breaker, 3);
            time.advance(Duration.ofDays(365 * 100));
            assertThat(breaker.snapshot().calls()).isZero();
            Calls.fail(breaker, 3);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void may_be_as_short_as_one_bucket() {
            CircuitBreaker shortest =
                    breaker(c -> c.timeWindow(Duration.ofNanos(1)).minCalls(2));
            Calls.fail(shortest, 1);
            time.advance(Duration.ofNanos(1));
            Calls.fail(shortest, 1);
            assertThat(shortest.state()).isEqualTo(CLOSED);
            Calls.fail(shortest, 1);
            assertThat(shortest.state()).isEqualTo(OPEN);
        }
    }

    @Nested
    class SlowCalls {
        @Test
        void open_it_at_their_own_rate() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(4).slowCallRate(0.5).slowCallDuration(Duration.ofMillis(100)));
            assertThat(breaker.timing()).isEqualTo(Gate.ENTRY | Gate.EXIT);
            Calls.slow(breaker, 99_999_999);
            Calls.slow(breaker, 99_999_999);
            Calls.slow(breaker, 100_000_000);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.slow(breaker, 100_000_000);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void are_timed_by_the_breaker_itself() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(1).slowCallRate(1).slowCallDuration(Duration.ofMillis(100)));
            breaker.run(() -> time.advance(Duration.ofMillis(100)));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }
    }

    @Nested
    class ConsecutiveFailures {
        private final CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(3));

        @Test
        void open_it() {
            Calls.fail(breaker, 2);
            Calls.succeed(breaker, 1);
            Calls.fail(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void are_not_interrupted_by_what_is_ignored() {
            Calls.fail(breaker, 2);
            Calls.call(breaker, Verdict.IGNORED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void reopen_it_with_the_first_probe_that_fails() {
            Calls.fail(breaker, 3);
            time.advance(Duration.ofSeconds(30));
            Calls.succeed(breaker, 4);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }
    }
}
