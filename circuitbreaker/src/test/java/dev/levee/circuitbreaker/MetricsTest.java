package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private final ManualTime time = new ManualTime();

    private CircuitBreaker breaker(Consumer<CircuitBreakerConfig.Builder> configure) {
        return CircuitBreaker.of(
                "payments",
                c -> {
                    c.countWindow(10)
                            .slowCallRate(0.9)
                            .slowCallDuration(Duration.ofSeconds(1))
                            .openFor(Duration.ofSeconds(30))
                            .halfOpenCalls(5);
                    configure.accept(c);
                },
                time.environment());
    }

    private CircuitBreaker breaker() {
        return breaker(c -> {});
    }

    @Nested
    class APull {
        @Test
        void gives_state_rates_counts_and_the_time_in_state() {
            CircuitBreaker breaker = breaker();
            Calls.succeed(breaker, 2);
            Calls.slow(breaker, Duration.ofSeconds(1).toNanos());
            Calls.fail(breaker, 1);
            time.advance(Duration.ofSeconds(5));
            assertThat(Readings.of(breaker))
                    .hasSize(7)
                    .containsEntry("breaker.state", 0.0)
                    .containsEntry("breaker.window.calls", 4.0)
                    .containsEntry("breaker.window.failures", 1.0)
                    .containsEntry("breaker.window.slow", 1.0)
                    .containsEntry("breaker.failure.rate", 0.25)
                    .containsEntry("breaker.slow.rate", 0.25)
                    .containsEntry("breaker.time.in.state.nanos", 5e9);
        }

        @Test
        void has_no_rate_without_calls() {
            assertThat(Readings.of(breaker()).get("breaker.failure.rate")).isNaN();
        }

        @Test
        void shows_what_opened_it_while_it_is_open_and_the_probes_while_it_is_half_open() {
            CircuitBreaker breaker = breaker();
            Calls.fail(breaker, 10);
            assertThat(Readings.of(breaker))
                    .containsEntry("breaker.state", 1.0)
                    .containsEntry("breaker.window.calls", 10.0)
                    .containsEntry("breaker.failure.rate", 1.0);
            time.advance(Duration.ofSeconds(31));
            assertThat(Readings.of(breaker))
                    .containsEntry("breaker.state", 2.0)
                    .containsEntry("breaker.window.calls", 0.0)
                    .containsEntry("breaker.time.in.state.nanos", 1e9);
        }

        @Test
        void numbers_the_states_as_they_are_documented() {
            CircuitBreaker breaker = breaker();
            breaker.forceOpen();
            assertThat(Readings.of(breaker)).containsEntry("breaker.state", 3.0);
            breaker.disable();
            assertThat(Readings.of(breaker)).containsEntry("breaker.state", 4.0);
            breaker.observeOnly();
            assertThat(Readings.of(breaker)).containsEntry("breaker.state", 5.0);
        }
    }

    @Nested
    class BreakerTotals {
        @Test
        void are_kept_when_asked_for_at_construction() {
            CircuitBreaker breaker = breaker(c -> c.totals(true));
            Calls.succeed(breaker, 3);
            Calls.slow(breaker, Duration.ofSeconds(2).toNanos());
            Calls.call(breaker, Verdict.IGNORED);
            long late = Calls.enter(breaker);
            Calls.fail(breaker, 6);
            Calls.enter(breaker);
            Calls.enter(breaker);
            Calls.end(breaker, late, Verdict.FAILURE);
            assertThat(Readings.of(breaker))
                    .containsEntry("breaker.calls.succeeded", 4.0)
                    .containsEntry("breaker.calls.failed", 7.0)
                    .containsEntry("breaker.calls.slow", 1.0)
                    .containsEntry("breaker.calls.ignored", 1.0)
                    .containsEntry("breaker.calls.late", 1.0)
                    .containsEntry("breaker.calls.refused", 2.0);
        }

        @Test
        void are_not_kept_otherwise() {
            CircuitBreaker breaker = breaker();
            Calls.fail(breaker, 10);
            Calls.enter(breaker);
            assertThat(Readings.of(breaker).keySet()).noneMatch(name -> name.startsWith("breaker.calls"));
        }

        @Test
        void leave_out_what_a_disabled_breaker_admits() {
            CircuitBreaker breaker = breaker(c -> c.totals(true));
            breaker.disable();
            Calls.fail(breaker, 10);
            assertThat(Readings.of(breaker)).containsEntry("breaker.calls.failed", 0.0);
        }

        @Test
        void leave_out_what_a_disabled_breaker_has_admitted_also_when_it_ends_later() {
            CircuitBreaker breaker = breaker(c -> c.totals(true));
            breaker.disable();
            long stamp = Calls.enter(breaker);
            breaker.reset();
            Calls.end(breaker, stamp, Verdict.FAILURE);
            assertThat(Readings.of(breaker))
                    .containsEntry("breaker.calls.failed", 0.0)
                    .containsEntry("breaker.calls.late", 0.0);
        }

        @Test
        void count_refusals_of_every_state_that_refuses() {
            CircuitBreaker breaker = breaker(c -> c.totals(true));
            Calls.fail(breaker, 10);
            Calls.enter(breaker);
            time.advance(Duration.ofSeconds(30));
            for (int i = 0; i < 6; i++) {
                Calls.enter(breaker);
            }
            breaker.forceOpen();
            Calls.enter(breaker);
            assertThat(Readings.of(breaker)).containsEntry("breaker.calls.refused", 3.0);
        }
    }

    @Nested
    class Printed {
        @Test
        void it_can_be_read_at_night() {
            CircuitBreaker breaker = CircuitBreaker.of(
                    "payments",
                    c -> c.countWindow(100).openFor(Duration.ofSeconds(30)).halfOpenCalls(3),
                    time.environment());
            assertThat(breaker).hasToString("breaker \"payments\" CLOSED 0/0 failed");
            Calls.succeed(breaker, 97);
            Calls.fail(breaker, 3);
            assertThat(breaker).hasToString("breaker \"payments\" CLOSED 3/100 failed");
            Calls.fail(breaker, 47);
            time.advance(Duration.ofSeconds(18));
            assertThat(breaker).hasToString("breaker \"payments\" OPEN 50/100 failed, probes in 12 s");
            time.advance(Duration.ofSeconds(12));
            assertThat(breaker).hasToString("breaker \"payments\" OPEN 50/100 failed, probes are due");
            Calls.enter(breaker);
            Calls.fail(breaker, 1);
            assertThat(breaker).hasToString("breaker \"payments\" HALF_OPEN 1/1 failed, 1 of 3 probes in flight");
            breaker.disable();
            assertThat(breaker).hasToString("breaker \"payments\" DISABLED");
        }

        @Test
        void times_of_less_than_some_seconds_are_not_rounded_to_them() {
            CircuitBreaker breaker = CircuitBreaker.of(
                    "p", c -> c.consecutiveFailures(1).openFor(Duration.ofMillis(1_500)), time.environment());
            Calls.fail(breaker, 1);
            assertThat(breaker).hasToString("breaker \"p\" OPEN 1/1 failed, probes in 1500 ms");
            time.advance(Duration.ofMillis(1_450));
            assertThat(breaker).hasToString("breaker \"p\" OPEN 1/1 failed, probes in 50 ms");
            time.advance(Duration.ofNanos(49_000_001));
            assertThat(breaker).hasToString("breaker \"p\" OPEN 1/1 failed, probes in 1 ms");
        }

        @Test
        void slow_calls_are_named_where_they_matter() {
            assertThat(breaker()).hasToString("breaker \"payments\" CLOSED 0/0 failed, 0 slow");
        }

        @Test
        void for_ever_is_said_so() {
            CircuitBreaker breaker = CircuitBreaker.of(
                    "p", c -> c.consecutiveFailures(1).openFor(Duration.ofSeconds(Long.MAX_VALUE)), time.environment());
            Calls.fail(breaker, 1);
            assertThat(breaker).hasToString("breaker \"p\" OPEN 1/1 failed, for ever");
        }
    }
}
