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
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a breaker does once it has opened, or was set by hand. */
class OpenBreakerTest extends BreakerFixture {
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
            assertThat(refusal).hasMessage("breaker \"payments\" is OPEN: 4 of 4 calls failed, the limit is 50.0 %");
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
        void a_refusal_never_changes_what_it_says_of_its_own_epoch() {
            CircuitBreaker breaker = opened();
            RefusedException first = breaker.refusal();
            breaker.forceOpen();
            RefusedException second = breaker.refusal();
            assertThat(first.retryAfterNanos()).isEqualTo(10_000_000_000L);
            assertThat(second.retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
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
            assertThat(config.openTimes().nanos(Integer.MAX_VALUE, 0.5, -1)).isEqualTo(Nanos.NEVER);
            assertThat(config.openTimes().nanos(9, 0, -1)).isEqualTo(1_000_000_000_000_000_000L);
            assertThat(config.openTimes().nanos(10, 0, -1)).isEqualTo(Nanos.NEVER);
        }

        @Test
        void are_shortened_by_jitter_after_the_maximum() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                    .openFor(Duration.ofSeconds(1), 2, Duration.ofSeconds(4))
                    .openJitter(0.25)
                    .build();
            assertThat(config.openTimes().nanos(10, 0, -1)).isEqualTo(4_000_000_000L);
            assertThat(config.openTimes().nanos(10, 1, -1)).isEqualTo(3_000_000_000L);
            assertThat(config.openTimes().nanos(0, 0.5, -1)).isEqualTo(875_000_000L);
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

        @Test
        void is_not_prolonged_by_an_outcome_that_only_says_that_its_call_must_not_be_repeated() {
            CircuitBreaker breaker = breaker(c ->
                    c.consecutiveFailures(1).openFor(Duration.ofSeconds(10)).openForHint(Duration.ofHours(1)));
            failWithHint(breaker, OutcomeRule.DO_NOT_RETRY);
            time.advance(Duration.ofSeconds(10));
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
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
            assertThat(breaker.refusal()).hasMessage("breaker \"payments\" is HALF_OPEN: its 3 probes are in flight");
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
    class RequiredSuccesses {
        private CircuitBreaker halfOpen(int successes) {
            CircuitBreaker breaker = breaker(c -> c.countWindow(4)
                    .failureRate(0.75)
                    .openFor(Duration.ofSeconds(10))
                    .halfOpenCalls(3)
                    .halfOpenSuccesses(successes));
            Calls.fail(breaker, 4);
            time.advance(Duration.ofSeconds(10));
            return breaker;
        }

        @Test
        void by_the_rate_one_success_and_one_failure_of_three_close() {
            CircuitBreaker breaker = halfOpen(0);
            Calls.succeed(breaker, 1);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void if_all_must_succeed_the_first_failure_opens_again() {
            CircuitBreaker breaker = halfOpen(3);
            Calls.succeed(breaker, 1);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void if_all_must_succeed_it_closes_when_all_have() {
            CircuitBreaker breaker = halfOpen(3);
            Calls.succeed(breaker, 2);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void of_k_of_n_the_last_possible_failure_opens_again() {
            CircuitBreaker breaker = halfOpen(2);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.fail(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void one_of_n_closes_at_the_first_success() {
            CircuitBreaker breaker = halfOpen(1);
            Calls.fail(breaker, 2);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void an_expired_probe_is_no_success_and_an_ignored_one_is_neither() {
            CircuitBreaker breaker = halfOpen(3);
            Calls.call(breaker, Verdict.IGNORED);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.enter(breaker);
            time.advance(Duration.ofSeconds(30));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }
    }

    @Nested
    class Leases {
        @Test
        void by_default_are_long_enough_for_healthy_calls_of_a_breaker_that_is_open_for_a_short_time() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(4).halfOpenCalls(3).openFor(Duration.ofMillis(50)));
            Calls.fail(breaker, 4);
            time.advance(Duration.ofMillis(50));
            for (int i = 0; i < 2; i++) {
                long probe = Calls.enter(breaker);
                time.advance(Duration.ofMillis(80));
                Calls.end(breaker, probe, Verdict.SUCCESS);
            }
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

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
        void what_was_due_by_time_happened_at_its_time_whenever_it_is_read() {
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
        void a_probe_is_too_late_even_if_the_breaker_was_not_read_meanwhile() {
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
            assertThat(breaker.refusal()).hasMessage("breaker \"payments\" is FORCED_OPEN: by hand");
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
