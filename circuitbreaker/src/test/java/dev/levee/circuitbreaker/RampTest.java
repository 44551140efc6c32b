package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.RAMPING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.Gate;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Traffic that comes back in steps: 10, 25 and 50 %, ten seconds each. */
class RampTest extends BreakerFixture {
    private CircuitBreaker ramping() {
        CircuitBreaker breaker = breaker(c -> c.countWindow(20)
                .openFor(Duration.ofSeconds(10))
                .halfOpenCalls(4)
                .ramp(Duration.ofSeconds(10), 0.1, 0.25, 0.5));
        Calls.fail(breaker, 20);
        time.advance(Duration.ofSeconds(10));
        Calls.succeed(breaker, 3);
        assertThat(breaker.state()).isEqualTo(RAMPING);
        return breaker;
    }

    private int admitted(CircuitBreaker breaker, int calls) {
        int admitted = 0;
        for (int call = 0; call < calls; call++) {
            admitted += Calls.call(breaker, Verdict.SUCCESS) ? 1 : 0;
        }
        return admitted;
    }

    @Test
    void the_share_rises_in_steps_until_the_breaker_is_closed() {
        CircuitBreaker breaker = ramping();
        assertThat(admitted(breaker, 1_000)).isCloseTo(100, within(2));
        time.advance(Duration.ofSeconds(10));
        assertThat(admitted(breaker, 1_000)).isCloseTo(250, within(2));
        time.advance(Duration.ofSeconds(10));
        assertThat(admitted(breaker, 1_000)).isCloseTo(500, within(2));
        time.advance(Duration.ofSeconds(10));
        assertThat(admitted(breaker, 1_000)).isEqualTo(1_000);
        assertThat(breaker.state()).isEqualTo(CLOSED);
    }

    @Test
    void failures_open_it_again_for_a_longer_time() {
        CircuitBreaker breaker = breaker(c -> c.countWindow(20)
                .openFor(Duration.ofSeconds(10), 2, Duration.ofMinutes(5))
                .halfOpenCalls(4)
                .ramp(Duration.ofSeconds(10), 0.5));
        Calls.fail(breaker, 20);
        time.advance(Duration.ofSeconds(10));
        Calls.succeed(breaker, 3);
        Calls.tryToFail(breaker, 10);
        assertThat(breaker.state()).isEqualTo(OPEN);
        assertThat(breaker.refusal().retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(20).toNanos());
    }

    @Test
    void as_few_outcomes_are_enough_as_when_half_open() {
        CircuitBreaker breaker = ramping();
        int failed = 0;
        while (breaker.state() == RAMPING) {
            failed += Calls.call(breaker, Verdict.FAILURE) ? 1 : 0;
        }
        assertThat(failed).isEqualTo(4);
    }

    @Test
    void a_failure_among_many_successes_does_not_open_it() {
        CircuitBreaker breaker = ramping();
        admitted(breaker, 100);
        Calls.tryToFail(breaker, 20);
        assertThat(breaker.state()).isEqualTo(RAMPING);
    }

    @Test
    void the_refusal_says_the_share_and_when_it_rises() {
        CircuitBreaker breaker = ramping();
        time.advance(Duration.ofSeconds(13));
        while (Calls.enter(breaker) != Gate.REFUSED) {
            assertThat(breaker.state()).isEqualTo(RAMPING);
        }
        assertThat(breaker.refusal())
                .isInstanceOf(CircuitOpenException.class)
                .hasMessage("breaker \"payments\" is RAMPING: it admits 25.0 % of calls");
        assertThat(breaker.refusal().retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(7).toNanos());
    }

    @Test
    void calls_of_an_earlier_step_count_and_those_of_the_ramp_are_late_when_it_is_closed() {
        CircuitBreaker breaker = ramping();
        long early = Calls.enter(breaker);
        time.advance(Duration.ofSeconds(15));
        Calls.end(breaker, early, Verdict.FAILURE);
        assertThat(breaker.snapshot().failures()).isOne();
        long last = Calls.enter(breaker);
        while (last == Gate.REFUSED) {
            last = Calls.enter(breaker);
        }
        time.advance(Duration.ofSeconds(15));
        assertThat(breaker.state()).isEqualTo(CLOSED);
        Calls.end(breaker, last, Verdict.FAILURE);
        assertThat(breaker.snapshot().calls()).isZero();
    }

    @Test
    void it_closes_as_of_the_end_of_the_ramp_whenever_it_is_read() {
        CircuitBreaker breaker = ramping();
        time.advance(Duration.ofSeconds(35));
        assertThat(breaker.snapshot().state()).isEqualTo(CLOSED);
        assertThat(breaker.snapshot().nanosInState())
                .isEqualTo(Duration.ofSeconds(5).toNanos());
    }

    @Test
    void a_change_by_hand_wins() {
        CircuitBreaker breaker = ramping();
        breaker.forceOpen();
        time.advance(Duration.ofSeconds(100));
        assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
        breaker.reset();
        assertThat(admitted(breaker, 100)).isEqualTo(100);
    }

    @Nested
    class Seen {
        @Test
        void in_metrics_and_in_print() {
            CircuitBreaker breaker = ramping();
            assertThat(Readings.of(breaker))
                    .containsEntry("breaker.ramp.share", 0.1)
                    .containsEntry("breaker.state", 6.0);
            time.advance(Duration.ofSeconds(10));
            assertThat(Readings.of(breaker)).containsEntry("breaker.ramp.share", 0.25);
            assertThat(breaker).hasToString("breaker \"payments\" RAMPING at 25.0 % 0/0 failed");
            time.advance(Duration.ofSeconds(20));
            assertThat(Readings.of(breaker)).containsEntry("breaker.ramp.share", 1.0);
            breaker.forceOpen();
            assertThat(Readings.of(breaker)).containsEntry("breaker.ramp.share", 0.0);
        }

        @Test
        void not_where_there_is_none() {
            assertThat(Readings.of(small())).doesNotContainKey("breaker.ramp.share");
        }
    }

    @Nested
    class TheShare {
        @Property(tries = 300)
        void is_right_for_any_run_of_calls(
                @ForAll @DoubleRange(min = 0.01, max = 1) double share,
                @ForAll @IntRange(min = 1, max = 5_000) int calls) {
            Ramp ramp = new Ramp(new double[] {share}, 1, step -> null);
            int admitted = 0;
            for (int call = 0; call < calls; call++) {
                admitted += ramp.admits(0) ? 1 : 0;
            }
            assertThat((double) admitted).isCloseTo(share * calls, within(4.0));
        }

        @Property(tries = 300)
        void is_the_same_for_callers_that_take_turns(
                @ForAll @DoubleRange(min = 0.05, max = 1) double share,
                @ForAll @IntRange(min = 2, max = 20) int callers) {
            Ramp ramp = new Ramp(new double[] {share}, 1, step -> null);
            int[] admitted = new int[callers];
            int rounds = 1_000;
            for (int call = 0; call < rounds * callers; call++) {
                admitted[call % callers] += ramp.admits(0) ? 1 : 0;
            }
            for (int each : admitted) {
                assertThat(each / (double) rounds).isCloseTo(share, within(0.03));
            }
        }
    }

    @Test
    void settings_are_refused_with_name_bound_and_value() {
        assertThatThrownBy(() -> CircuitBreakerConfig.builder().ramp(Duration.ZERO, 0.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ramp step");
        assertThatThrownBy(() -> CircuitBreakerConfig.builder().ramp(Duration.ofSeconds(1), 0.5, 1.5))
                .hasMessage("ramp share must be more than 0 and at most 1, but was 1.5");
        assertThatThrownBy(() -> CircuitBreakerConfig.builder().ramp(Duration.ofSeconds(1), 0.5, 0.25))
                .hasMessage("ramp shares must rise, but were [0.5, 0.25]");
    }
}
