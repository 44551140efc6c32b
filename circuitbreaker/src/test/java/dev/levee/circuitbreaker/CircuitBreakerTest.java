package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.DISABLED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OBSERVE_ONLY;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CircuitBreakerTest {
    /** The clock wraps after seven seconds, so that every test crosses the wrap sooner or later. */
    private final ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 7_000_000_000L);

    private CircuitBreaker breaker(Consumer<CircuitBreakerConfig.Builder> configure) {
        return CircuitBreaker.of("payments", configure, time.environment());
    }

    /** Opens at 2 failures of 4 calls, for 10 seconds; 3 probes. */
    private CircuitBreaker small() {
        return breaker(c -> c.countWindow(4).openFor(Duration.ofSeconds(10)).halfOpenCalls(3));
    }

    private CircuitBreaker opened() {
        CircuitBreaker breaker = small();
        Calls.fail(breaker, 4);
        assertThat(breaker.state()).isEqualTo(OPEN);
        return breaker;
    }

    private CircuitBreaker halfOpened() {
        CircuitBreaker breaker = opened();
        time.advance(Duration.ofSeconds(10));
        assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        return breaker;
    }

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
                    breaker(c -> c.countWindow(100).minimumCalls(100).failureRate(0.07));
            Calls.succeed(breaker, 93);
            Calls.fail(breaker, 6);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_success_that_makes_up_the_minimum_opens_it() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10).minimumCalls(3));
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
                    breaker(c -> c.countWindow(size).failureRate(1).minimumCalls(size));
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
            CircuitBreaker breaker = breaker(c -> c.countWindow(20).minimumCalls(20));
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
                breaker(c -> c.timeWindow(Duration.ofSeconds(10)).minimumCalls(4));

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
                    breaker(c -> c.timeWindow(Duration.ofNanos(1)).minimumCalls(2));
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

    @Nested
    class Open {
        @Test
        void it_refuses() {
            CircuitBreaker breaker = opened();
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            List<String> ran = new ArrayList<>();
            assertThatThrownBy(() -> breaker.run(() -> ran.add("no"))).isInstanceOf(CircuitOpenException.class);
            assertThat(ran).isEmpty();
        }

        @Test
        void a_refusal_has_name_state_reason_and_the_remaining_time_but_no_stack_trace() {
            CircuitBreaker breaker = opened();
            time.advance(Duration.ofSeconds(4));
            CircuitOpenException refusal =
                    catchThrowableOfType(CircuitOpenException.class, () -> breaker.run(() -> {}));
            assertThat(refusal).hasMessage("breaker payments is OPEN: 4 of 4 calls failed, the limit is 50.0 %");
            assertThat(refusal.policy()).isEqualTo("payments");
            assertThat(refusal.retryAfterNanos()).isEqualTo(6_000_000_000L);
            assertThat(refusal.getStackTrace()).isEmpty();
            time.advance(Duration.ofSeconds(5));
            assertThat(refusal.retryAfterNanos()).isEqualTo(1_000_000_000L);
            RefusedException own = refusal.detached();
            time.advance(Duration.ofSeconds(60));
            assertThat(refusal.retryAfterNanos()).isZero();
            assertThat(own.retryAfterNanos()).isEqualTo(1_000_000_000L);
            assertThat(own).isInstanceOf(CircuitOpenException.class).hasMessage(refusal.getMessage());
        }

        @Test
        void all_callers_get_the_same_refusal() {
            CircuitBreaker breaker = opened();
            assertThat(breaker.refusal()).isSameAs(breaker.refusal());
        }

        @Test
        void it_becomes_half_open_when_its_time_is_over() {
            CircuitBreaker breaker = opened();
            time.advance(Duration.ofSeconds(10).minusNanos(1));
            assertThat(breaker.state()).isEqualTo(OPEN);
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            time.advance(Duration.ofNanos(1));
            assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        }

        @Test
        void a_huge_open_time_means_for_ever() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1).openFor(Duration.ofSeconds(Long.MAX_VALUE)));
            Calls.fail(breaker, 1);
            time.advance(Duration.ofNanos(Long.MAX_VALUE));
            assertThat(breaker.state()).isEqualTo(OPEN);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(Nanos.NEVER);
        }
    }

    @Nested
    class OpenTimes {
        private List<Long> openTimes(CircuitBreaker breaker, int times) {
            List<Long> seconds = new ArrayList<>();
            Calls.fail(breaker, 1);
            for (int i = 0; i < times; i++) {
                long nanos = breaker.refusal().retryAfterNanos();
                seconds.add(Duration.ofNanos(nanos).toMillis());
                time.advance(Duration.ofNanos(nanos));
                Calls.fail(breaker, 1);
            }
            return seconds;
        }

        @Test
        void grow_with_each_reopening_up_to_the_cap_and_begin_again_when_it_has_closed() {
            CircuitBreaker breaker = breaker(c ->
                    c.consecutiveFailures(1).halfOpenCalls(1).openFor(Duration.ofSeconds(1), 2, Duration.ofSeconds(5)));
            assertThat(openTimes(breaker, 5)).containsExactly(1000L, 2000L, 4000L, 5000L, 5000L);
            time.advance(Duration.ofSeconds(5));
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            assertThat(openTimes(breaker, 2)).containsExactly(1000L, 2000L);
        }

        @Test
        void never_overflow() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                    .openFor(Duration.ofSeconds(1), 10, Duration.ofSeconds(Long.MAX_VALUE))
                    .openJitter(0.9)
                    .build();
            assertThat(config.openNanos(Integer.MAX_VALUE, 0.5, -1)).isEqualTo(Nanos.NEVER);
            assertThat(config.openNanos(9, 0, -1)).isEqualTo(1_000_000_000_000_000_000L);
            assertThat(config.openNanos(10, 0, -1)).isEqualTo(Nanos.NEVER);
        }

        @Test
        void are_shortened_by_jitter_after_the_cap() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                    .openFor(Duration.ofSeconds(1), 2, Duration.ofSeconds(4))
                    .openJitter(0.25)
                    .build();
            assertThat(config.openNanos(10, 0, -1)).isEqualTo(4_000_000_000L);
            assertThat(config.openNanos(10, 1, -1)).isEqualTo(3_000_000_000L);
            assertThat(config.openNanos(0, 0.5, -1)).isEqualTo(875_000_000L);
        }

        @Test
        void follow_a_longer_hint_of_the_outcome_that_opens_up_to_its_maximum() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1)
                    .halfOpenCalls(1)
                    .openFor(Duration.ofSeconds(1))
                    .openForHint(Duration.ofSeconds(60)));
            failWithHint(breaker, Duration.ofSeconds(20).toNanos());
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(20_000_000_000L);
            time.advance(Duration.ofSeconds(20));
            failWithHint(breaker, Nanos.NEVER);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(60_000_000_000L);
            time.advance(Duration.ofSeconds(60));
            failWithHint(breaker, 5);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(1_000_000_000L);
        }

        @Test
        void do_not_follow_hints_unless_told_to() {
            CircuitBreaker breaker = breaker(c -> c.consecutiveFailures(1));
            failWithHint(breaker, Nanos.NEVER);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(30_000_000_000L);
        }

        private void failWithHint(CircuitBreaker breaker, long hintNanos) {
            breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.THROTTLED, hintNanos);
        }
    }

    @Nested
    class HalfOpen {
        @Test
        void it_lets_so_many_probes_through_and_no_more() {
            CircuitBreaker breaker = halfOpened();
            for (int i = 0; i < 3; i++) {
                assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
            }
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            assertThat(breaker.refusal()).hasMessage("breaker payments is HALF_OPEN: its 3 probes are on their way");
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void it_closes_as_soon_as_too_few_can_fail() {
            CircuitBreaker breaker = halfOpened();
            long last = Calls.enter(breaker);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
            Calls.end(breaker, last, Verdict.FAILURE);
            assertThat(breaker.snapshot().calls())
                    .as("the last probe is too late")
                    .isZero();
        }

        @Test
        void it_opens_again_as_soon_as_enough_have_failed() {
            CircuitBreaker breaker = halfOpened();
            long last = Calls.enter(breaker);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
            time.advance(Duration.ofSeconds(3));
            Calls.end(breaker, last, Verdict.FAILURE);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(7_000_000_000L);
        }

        @Test
        void an_ignored_probe_gives_its_permit_back() {
            CircuitBreaker breaker = halfOpened();
            for (int i = 0; i < 100; i++) {
                assertThat(Calls.call(breaker, Verdict.IGNORED)).isTrue();
            }
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void a_probe_that_ends_twice_counts_once() {
            CircuitBreaker breaker = halfOpened();
            long stamp = Calls.enter(breaker);
            Calls.end(breaker, stamp, Verdict.SUCCESS);
            Calls.end(breaker, stamp, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.end(breaker, stamp, Verdict.IGNORED);
            assertThat(breaker.snapshot().calls()).isOne();
        }

        @Test
        void slow_probes_decide_too() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(2)
                    .slowCallRate(0.5)
                    .slowCallDuration(Duration.ofSeconds(1))
                    .openFor(Duration.ofSeconds(1))
                    .halfOpenCalls(2));
            Calls.fail(breaker, 2);
            time.advance(Duration.ofSeconds(1));
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.slow(breaker, 1_000_000_000);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }
    }

    @Nested
    class Leases {
        @Test
        void a_probe_that_never_returns_counts_as_failure_when_its_lease_expires() {
            CircuitBreaker breaker = halfOpened();
            long first = Calls.enter(breaker);
            time.advance(Duration.ofSeconds(1));
            Calls.enter(breaker);
            time.advance(Duration.ofSeconds(9));
            assertThat(breaker.state()).as("one lease has expired").isEqualTo(HALF_OPEN);
            assertThat(breaker.snapshot().failures()).isOne();
            time.advance(Duration.ofSeconds(1));
            assertThat(breaker.state()).isEqualTo(OPEN);
            Calls.end(breaker, first, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void what_was_due_by_time_happened_at_its_time_whoever_looks_and_when() {
            CircuitBreaker breaker = halfOpened();
            Calls.enter(breaker);
            Calls.enter(breaker);
            time.advance(Duration.ofSeconds(14));
            assertThat(breaker.state()).as("leases expired after 10 s").isEqualTo(OPEN);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(6_000_000_000L);
            assertThat(breaker.snapshot().nanosInState()).isEqualTo(4_000_000_000L);
            time.advance(Duration.ofSeconds(1000));
            assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
        }

        @Test
        void nobody_needs_to_have_looked_for_a_probe_to_be_too_late() {
            CircuitBreaker breaker = halfOpened();
            long slow = Calls.enter(breaker);
            time.advance(Duration.ofSeconds(10));
            Calls.end(breaker, slow, Verdict.SUCCESS);
            assertThat(breaker.snapshot().failures()).isOne();
        }

        @Test
        void an_expired_lease_may_give_its_permit_to_another_probe() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(1)
                    .openFor(Duration.ofSeconds(10))
                    .halfOpenCalls(1)
                    .probeLease(Duration.ofSeconds(2))
                    .expiredProbesFail(false));
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(10));
            long lost = Calls.enter(breaker);
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            time.advance(Duration.ofSeconds(2));
            long second = Calls.enter(breaker);
            assertThat(second).isNotEqualTo(Gate.REFUSED).isNotEqualTo(lost);
            Calls.end(breaker, lost, Verdict.SUCCESS);
            assertThat(breaker.state()).as("its lease was over").isEqualTo(HALF_OPEN);
            Calls.end(breaker, lost, Verdict.IGNORED);
            assertThat(Calls.enter(breaker)).as("no permit was made").isEqualTo(Gate.REFUSED);
            Calls.end(breaker, second, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void a_huge_lease_never_expires() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(1).halfOpenCalls(1).probeLease(Duration.ofSeconds(Long.MAX_VALUE)));
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(30));
            long stamp = Calls.enter(breaker);
            time.advance(Duration.ofNanos(Long.MAX_VALUE));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.end(breaker, stamp, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }
    }

    @Nested
    class ByHand {
        @Test
        void forced_open_it_refuses_until_reset() {
            CircuitBreaker breaker = small();
            breaker.forceOpen();
            time.advance(Duration.ofDays(1000));
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            assertThat(breaker.refusal()).hasMessage("breaker payments is FORCED_OPEN: by hand");
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
            breaker.reset();
            assertThat(breaker.state()).isEqualTo(CLOSED);
            assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
        }

        @Test
        void disabled_it_admits_all_and_records_nothing() {
            CircuitBreaker breaker = opened();
            breaker.disable();
            Calls.fail(breaker, 100);
            assertThat(breaker.state()).isEqualTo(DISABLED);
            assertThat(breaker.snapshot().calls()).isZero();
        }

        @Test
        void observing_it_records_and_never_opens() {
            CircuitBreaker breaker = opened();
            breaker.observeOnly();
            Calls.fail(breaker, 100);
            assertThat(breaker.state()).isEqualTo(OBSERVE_ONLY);
            assertThat(breaker.snapshot().calls()).isEqualTo(4);
            assertThat(breaker.snapshot().failureRate()).isEqualTo(1);
        }

        @Test
        void observing_failures_in_a_row_and_a_time_window_never_opens_either() {
            CircuitBreaker row = breaker(c -> c.consecutiveFailures(2));
            CircuitBreaker window = breaker(c -> c.timeWindow(Duration.ofSeconds(1)));
            row.observeOnly();
            window.observeOnly();
            Calls.fail(row, 50);
            Calls.fail(window, 50);
            assertThat(row.state()).isEqualTo(OBSERVE_ONLY);
            assertThat(row.snapshot().failures()).isEqualTo(50);
            assertThat(window.state()).isEqualTo(OBSERVE_ONLY);
            assertThat(window.snapshot().failures()).isEqualTo(50);
        }

        @Test
        void a_reset_forgets_what_was_recorded_and_what_is_under_way() {
            CircuitBreaker breaker = small();
            Calls.fail(breaker, 3);
            long late = Calls.enter(breaker);
            breaker.reset();
            Calls.end(breaker, late, Verdict.FAILURE);
            assertThat(breaker.snapshot().calls()).isZero();
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void what_a_manual_state_admitted_does_not_count_later() {
            CircuitBreaker breaker = small();
            breaker.disable();
            long admitted = Calls.enter(breaker);
            breaker.reset();
            Calls.end(breaker, admitted, Verdict.FAILURE);
            assertThat(breaker.snapshot().calls()).isZero();
        }
    }

    @Nested
    class LateResults {
        @Test
        void two_late_successes_never_close_a_half_open_breaker() {
            CircuitBreaker breaker = breaker(
                    c -> c.countWindow(4).openFor(Duration.ofSeconds(10)).halfOpenCalls(2));
            long first = Calls.enter(breaker);
            long second = Calls.enter(breaker);
            Calls.fail(breaker, 4);
            time.advance(Duration.ofSeconds(10));
            long probe = Calls.enter(breaker);
            Calls.end(breaker, first, Verdict.SUCCESS);
            Calls.end(breaker, second, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            assertThat(breaker.snapshot().calls()).isZero();
            Calls.end(breaker, probe, Verdict.FAILURE);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void of_a_previous_epoch_never_mint_permits() {
            CircuitBreaker breaker = breaker(
                    c -> c.countWindow(4).openFor(Duration.ofSeconds(10)).halfOpenCalls(2));
            long[] old = {Calls.enter(breaker), Calls.enter(breaker), Calls.enter(breaker)};
            Calls.fail(breaker, 4);
            time.advance(Duration.ofSeconds(10));
            long[] probes = {Calls.enter(breaker), Calls.enter(breaker)};
            for (long stamp : old) {
                Calls.end(breaker, stamp, Verdict.IGNORED);
            }
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            Calls.end(breaker, probes[0], Verdict.FAILURE);
            time.advance(Duration.ofSeconds(10));
            Calls.enter(breaker);
            Calls.enter(breaker);
            Calls.end(breaker, probes[1], Verdict.IGNORED);
            assertThat(Calls.enter(breaker))
                    .as("a probe of the half-open epoch before")
                    .isEqualTo(Gate.REFUSED);
        }
    }
}
