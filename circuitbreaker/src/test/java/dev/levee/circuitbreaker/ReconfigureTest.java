package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.FORCED_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.HALF_OPEN;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A configuration that changes while calls are in flight. */
class ReconfigureTest extends BreakerFixture {
    private static void change(CircuitBreaker breaker, Consumer<CircuitBreakerConfig.Builder> change) {
        CircuitBreakerConfig.Builder builder = breaker.config().toBuilder();
        change.accept(builder);
        CircuitBreakerConfig config = builder.build();
        breaker.reconfigure(config);
        assertThat(breaker.config()).isSameAs(config);
    }

    @Nested
    class Closed {
        @Test
        void it_keeps_its_window_and_judges_it_by_the_new_limit_when_the_next_outcome_comes() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10).minCalls(10).failureRate(0.5));
            Calls.succeed(breaker, 7);
            Calls.fail(breaker, 3);
            change(breaker, c -> c.failureRate(0.2));
            assertThat(breaker.state()).as("not by the change alone").isEqualTo(CLOSED);
            assertThat(breaker.snapshot().failures()).isEqualTo(3);
            Calls.succeed(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void it_begins_an_empty_window_of_another_size() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(10));
            Calls.fail(breaker, 4);
            change(breaker, c -> c.countWindow(4));
            assertThat(breaker.snapshot().calls()).isZero();
            Calls.fail(breaker, 4);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void calls_that_were_admitted_before_count_after() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(2));
            long first = Calls.enter(breaker);
            long second = Calls.enter(breaker);
            change(breaker, c -> c.consecutiveFailures(2));
            Calls.end(breaker, first, Verdict.FAILURE);
            Calls.end(breaker, second, Verdict.FAILURE);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        @Test
        void a_time_window_can_replace_a_count_window_although_no_caller_stamps_the_end() {
            CircuitBreaker breaker = breaker(c -> c.countWindow(4));
            assertThat(breaker.timing()).isZero();
            change(breaker, c -> c.timeWindow(Duration.ofSeconds(10)).minCalls(4));
            assertThat(breaker.timing()).isZero();
            failUnstamped(breaker, 3);
            time.advance(Duration.ofSeconds(10));
            failUnstamped(breaker, 3);
            assertThat(breaker.state()).as("the first three are forgotten").isEqualTo(CLOSED);
            failUnstamped(breaker, 1);
            assertThat(breaker.state()).isEqualTo(OPEN);
        }

        private void failUnstamped(CircuitBreaker breaker, int times) {
            for (int i = 0; i < times; i++) {
                breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, -1);
            }
        }
    }

    @Test
    void an_open_time_that_runs_is_neither_shortened_nor_prolonged() {
        CircuitBreaker breaker = opened();
        change(breaker, c -> c.openFor(Duration.ofSeconds(1)));
        time.advance(Duration.ofSeconds(9));
        assertThat(breaker.state()).isEqualTo(OPEN);
        change(breaker, c -> c.openFor(Duration.ofHours(1)));
        time.advance(Duration.ofSeconds(1));
        assertThat(breaker.state()).isEqualTo(HALF_OPEN);
        Calls.fail(breaker, 2);
        assertThat(breaker.refusal().retryAfterNanos())
                .isEqualTo(Duration.ofHours(1).toNanos());
    }

    @Test
    void permits_of_probes_are_neither_lost_nor_made() {
        CircuitBreaker breaker = halfOpened(); // three
        long early = Calls.enter(breaker);
        change(breaker, c -> c.halfOpenCalls(10).probeLease(Duration.ofNanos(1)));
        time.advance(Duration.ofSeconds(1));
        assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
        assertThat(Calls.enter(breaker)).isNotEqualTo(Gate.REFUSED);
        assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
        Calls.end(breaker, early, Verdict.IGNORED);
        Calls.succeed(breaker, 1);
        assertThat(breaker.snapshot().calls()).isOne();
        assertThat(Calls.enter(breaker)).isEqualTo(Gate.REFUSED);
    }

    @Test
    void a_state_set_by_hand_stays() {
        CircuitBreaker breaker = small();
        breaker.forceOpen();
        change(breaker, c -> c.openFor(Duration.ofNanos(1)));
        time.advance(Duration.ofSeconds(1));
        assertThat(breaker.state()).isEqualTo(FORCED_OPEN);
        breaker.observeOnly();
        change(breaker, c -> c.failureRate(0.01));
        Calls.fail(breaker, 100);
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.OBSERVE_ONLY);
        assertThat(breaker.snapshot().failures()).isEqualTo(4);
    }

    @Test
    void no_change_of_state_is_published() {
        RecordingListener heard = new RecordingListener();
        CircuitBreaker breaker = CircuitBreaker.of(
                "b",
                c -> c.consecutiveFailures(1),
                time.environment().toBuilder().listener(heard).build());
        change(breaker, c -> c.consecutiveFailures(2));
        assertThat(heard.events()).isEmpty();
        Calls.fail(breaker, 2);
        assertThat(breaker.state()).isEqualTo(OPEN);
    }

    @Test
    void what_pipelines_take_once_must_stay() {
        CircuitBreaker breaker = small();
        assertThatThrownBy(() -> change(breaker, c -> c.outcomes((result, error) -> Verdict.SUCCESS)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("outcomes must stay");
        assertThatThrownBy(() -> change(breaker, c -> c.totals(true)))
                .hasMessage("totals must stay false, but was true");
        assertThatThrownBy(() -> change(breaker, c -> c.slowCallRate(0.5).slowCallDuration(Duration.ofSeconds(1))))
                .hasMessage("slowCallDuration must stay unset, because "
                        + "breaker \"payments\" was made without, but was 1s");
        assertThat(breaker.outcomes()).isSameAs(OutcomeRule.standard());
    }

    /** The window remembers that a success of this bucket cannot matter; by other limits it can. */
    @Test
    void a_success_that_reaches_the_new_minimum_of_calls_is_judged_in_a_bucket_that_was_clear_by_the_old_limits() {
        CircuitBreakerConfig lenient = CircuitBreakerConfig.builder()
                .timeWindow(Duration.ofSeconds(60))
                .failureRate(0.9)
                .minCalls(5)
                .build();
        CircuitBreaker breaker = CircuitBreaker.of("window", lenient, new ManualTime().environment());
        Calls.succeed(breaker, 2);
        Calls.fail(breaker, 6);
        Calls.succeed(breaker, 1);
        breaker.reconfigure(lenient.toBuilder().failureRate(0.5).minCalls(11).build());
        Calls.succeed(breaker, 1);
        assertThat(breaker.state()).as("10 of at least 11 calls").isEqualTo(CLOSED);
        Calls.succeed(breaker, 1);
        assertThat(breaker.state()).as("6 of 11 calls failed").isEqualTo(OPEN);
    }
}
