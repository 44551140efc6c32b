package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.DISABLED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OBSERVE_ONLY;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Half-open by hand or because a caller knows better, and open by hand for a time. */
class ByHandTest extends BreakerFixture {
    private static final List<Consumer<CircuitBreaker>> BY_HAND =
            List.of(CircuitBreaker::forceOpen, CircuitBreaker::disable, CircuitBreaker::observeOnly);

    @Nested
    class HalfOpen {
        @Test
        void an_open_breaker_admits_its_probes_at_once() {
            CircuitBreaker breaker = opened();
            breaker.halfOpen();
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            for (int i = 0; i < 3; i++) {
                assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
            }
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
        }

        @Test
        void its_probes_decide() {
            CircuitBreaker good = opened();
            good.halfOpen();
            Calls.succeed(good, 2);
            assertThat(good.state()).isEqualTo(CLOSED);
            CircuitBreaker bad = opened();
            bad.halfOpen();
            Calls.fail(bad, 2);
            assertThat(bad.state()).isEqualTo(OPEN);
        }

        @Test
        void it_ends_every_other_state() {
            for (Consumer<CircuitBreaker> state : BY_HAND) {
                CircuitBreaker breaker = small();
                state.accept(breaker);
                long early = Calls.enter(breaker);
                breaker.halfOpen();
                assertThat(breaker.state()).isEqualTo(HALF_OPEN);
                Calls.end(breaker, early, Verdict.FAILURE);
                assertThat(breaker.snapshot().calls()).isZero();
            }
        }

        @Test
        void of_a_closed_breaker_late_results_count_nowhere_and_the_open_time_begins_at_the_first() {
            CircuitBreaker breaker = breaker(
                    c -> c.countWindow(4).halfOpenCalls(1).openFor(Duration.ofSeconds(1), 2, Duration.ofSeconds(60)));
            long late = Calls.enter(breaker);
            breaker.halfOpen();
            Calls.end(breaker, late, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.fail(breaker, 1);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(1_000_000_000L);
        }

        @Test
        void of_an_open_one_the_open_time_goes_on_growing() {
            CircuitBreaker breaker = breaker(
                    c -> c.countWindow(1).halfOpenCalls(1).openFor(Duration.ofSeconds(1), 2, Duration.ofSeconds(60)));
            Calls.fail(breaker, 1);
            breaker.halfOpen();
            Calls.fail(breaker, 1);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(2_000_000_000L);
        }

        @Test
        void it_does_nothing_to_a_half_open_breaker() {
            CircuitBreaker breaker = halfOpened();
            long probe = Calls.enter(breaker);
            Calls.fail(breaker, 1);
            breaker.halfOpen();
            Calls.end(breaker, probe, Verdict.FAILURE);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_lost_probe_loses_its_lease_as_ever() {
            CircuitBreaker breaker =
                    breaker(c -> c.countWindow(4).halfOpenCalls(1).probeLease(Duration.ofSeconds(5)));
            breaker.halfOpen();
            Calls.enter(breaker);
            time.advance(Duration.ofSeconds(5));
            assertThat(breaker.state()).isEqualTo(OPEN);
        }
    }

    @Nested
    class OpenForATime {
        @Test
        void it_refuses_until_the_time_is_over_and_then_admits_probes() {
            CircuitBreaker breaker = small();
            breaker.forceOpen(Duration.ofMinutes(10));
            time.advance(Duration.ofMinutes(10).minusNanos(1));
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
            assertThat(breaker.refusal())
                    .hasMessage("breaker \"payments\" is FORCED_OPEN: by hand, for 600 s")
                    .extracting(RefusedException::retryAfterNanos)
                    .isEqualTo(1L);
            assertThat(breaker).hasToString("breaker \"payments\" FORCED_OPEN, probes in 1 ms");
            time.advance(Duration.ofNanos(1));
            assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        }

        @Test
        void late_results_change_nothing() {
            CircuitBreaker breaker = small();
            long late = Calls.enter(breaker);
            breaker.forceOpen(Duration.ofSeconds(1));
            Calls.end(breaker, late, Verdict.SUCCESS);
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            time.advance(Duration.ofSeconds(1));
            Calls.end(breaker, late, Verdict.FAILURE);
            assertThat(breaker.snapshot().calls()).isZero();
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        }

        @Test
        void the_last_word_counts() {
            CircuitBreaker breaker = small();
            breaker.forceOpen(Duration.ofSeconds(1));
            breaker.forceOpen(Duration.ofSeconds(5));
            time.advance(Duration.ofSeconds(4));
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            breaker.forceOpen();
            time.advance(Duration.ofDays(1));
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            breaker.forceOpen(Duration.ofSeconds(1));
            breaker.reset();
            assertThat(breaker.state()).isEqualTo(CLOSED);
            time.advance(Duration.ofSeconds(1));
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void a_huge_time_means_until_reset() {
            CircuitBreaker breaker = small();
            breaker.forceOpen(Duration.ofSeconds(Long.MAX_VALUE));
            time.advance(Duration.ofNanos(Long.MAX_VALUE));
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void a_time_that_is_none_is_refused() {
            assertThatThrownBy(() -> small().forceOpen(Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("time must be more than zero");
        }
    }

    @Nested
    class AllowProbe {
        @Test
        void an_open_breaker_becomes_half_open_now() {
            CircuitBreaker breaker = opened();
            breaker.allowProbe();
            assertThat(breaker.state()).isEqualTo(HALF_OPEN);
            Calls.succeed(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CLOSED);
        }

        @Test
        void what_was_set_by_hand_stays() {
            CircuitBreaker breaker = small();
            breaker.forceOpen();
            breaker.allowProbe();
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            breaker.forceOpen(Duration.ofSeconds(1));
            breaker.allowProbe();
            assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
            breaker.disable();
            breaker.allowProbe();
            assertThat(breaker.state()).isEqualTo(DISABLED);
            breaker.observeOnly();
            breaker.allowProbe();
            assertThat(breaker.state()).isEqualTo(OBSERVE_ONLY);
        }

        @Test
        void a_closed_and_a_half_open_breaker_go_on_as_they_are() {
            CircuitBreaker closed = small();
            Calls.fail(closed, 1);
            closed.allowProbe();
            assertThat(closed.state()).isEqualTo(CLOSED);
            assertThat(closed.snapshot().calls()).isOne();
            CircuitBreaker halfOpen = halfOpened();
            Calls.fail(halfOpen, 1);
            halfOpen.allowProbe();
            assertThat(halfOpen.snapshot().calls()).isOne();
        }
    }
}
