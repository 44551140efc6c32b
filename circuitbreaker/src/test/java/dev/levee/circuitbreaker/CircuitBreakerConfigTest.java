package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CircuitBreakerConfigTest {
    private static void assertRefused(String message, Consumer<CircuitBreakerConfig.Builder> configure) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CircuitBreaker.of("b", configure))
                .withMessage("breaker \"b\": " + message);
    }

    @Nested
    class ValuesOutOfRange {
        @ParameterizedTest
        @ValueSource(doubles = {0, -0.1, 1.1, Double.NaN})
        void rates(double rate) {
            assertRefused("failureRate must be more than 0 and at most 1, but was " + rate, c -> c.failureRate(rate));
            assertRefused("slowCallRate must be more than 0 and at most 1, but was " + rate, c -> c.slowCallRate(rate));
        }

        @Test
        void counts() {
            assertRefused("countWindow must be from 1 to 100000, but was 0", c -> c.countWindow(0));
            assertRefused("countWindow must be from 1 to 100000, but was 100001", c -> c.countWindow(100_001));
            assertRefused("minCalls must be at least 1, but was 0", c -> c.minCalls(0));
            assertRefused("consecutiveFailures must be at least 1, but was -1", c -> c.consecutiveFailures(-1));
            assertRefused("halfOpenCalls must be from 1 to 1000, but was 1001", c -> c.halfOpenCalls(1001));
            assertRefused("halfOpenSuccesses must be from 0 to 1000, but was -1", c -> c.halfOpenSuccesses(-1));
        }

        @Test
        void durations() {
            assertRefused("timeWindow must be more than zero, but was 0s", c -> c.timeWindow(Duration.ZERO));
            assertRefused("openFor must be more than zero, but was -1s", c -> c.openFor(Duration.ofSeconds(-1)));
            assertRefused("probeLease must be more than zero, but was 0s", c -> c.probeLease(Duration.ZERO));
            assertRefused(
                    "slowCallDuration must be more than zero, but was 0s", c -> c.slowCallDuration(Duration.ZERO));
            assertRefused("openForHint must not be negative, but was -1s", c -> c.openForHint(Duration.ofSeconds(-1)));
        }

        @Test
        void growth_and_jitter() {
            Duration second = Duration.ofSeconds(1);
            assertRefused("openFor multiplier must be at least 1, but was 0.5", c -> c.openFor(second, 0.5, second));
            assertRefused(
                    "openFor multiplier must be at least 1, but was NaN", c -> c.openFor(second, Double.NaN, second));
            assertRefused(
                    "openFor max must be at least 1s, but was 500ms",
                    c -> c.openFor(second, 2, Duration.ofMillis(500)));
            assertRefused("openJitter must be from 0 to less than 1, but was 1.0", c -> c.openJitter(1));
        }

        @Test
        void names() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CircuitBreaker.of(" "))
                    .withMessage("name must not be blank, but was \" \"");
        }
    }

    @Nested
    class Nulls {
        @Test
        void are_named() {
            CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.builder();
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.timeWindow(null))
                    .withMessage("timeWindow");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.openFor(null))
                    .withMessage("openFor");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.outcomes((OutcomeRule) null))
                    .withMessage("outcomes");
            assertThatNullPointerException()
                    .isThrownBy(() -> CircuitBreaker.of("b", builder.build(), null))
                    .withMessage("environment");
            assertThatNullPointerException()
                    .isThrownBy(() -> CircuitBreaker.of("b", (CircuitBreakerConfig) null, Environment.system()))
                    .withMessage("config");
            assertThatNullPointerException()
                    .isThrownBy(() -> CircuitBreaker.of("b", (Consumer<CircuitBreakerConfig.Builder>) null))
                    .withMessage("configure");
            assertThatNullPointerException()
                    .isThrownBy(() -> CircuitBreaker.of("b", builder.build()).measure(null))
                    .withMessage("sink");
        }
    }

    @Nested
    class Contradictions {
        @Test
        void two_windows() {
            assertRefused(
                    "only one window can be set, but were [countWindow, timeWindow]",
                    c -> c.timeWindow(Duration.ofSeconds(10)).countWindow(10));
            assertRefused(
                    "only one window can be set, but were [countWindow, consecutiveFailures]",
                    c -> c.countWindow(10).consecutiveFailures(10));
        }

        @Test
        void a_rate_of_consecutive_failures() {
            assertRefused(
                    "failureRate does not apply to consecutiveFailures",
                    c -> c.failureRate(0.5).consecutiveFailures(3));
            assertRefused(
                    "minCalls does not apply to consecutiveFailures",
                    c -> c.consecutiveFailures(3).minCalls(3));
            assertRefused(
                    "slowCallRate does not apply to consecutiveFailures",
                    c -> c.consecutiveFailures(3).slowCallRate(0.5).slowCallDuration(Duration.ofSeconds(1)));
        }

        @Test
        void half_of_a_slow_call_rule() {
            assertRefused("slowCallDuration must be set, because slowCallRate is 0.5", c -> c.slowCallRate(0.5));
            assertRefused(
                    "slowCallRate must be set, because slowCallDuration is 1s",
                    c -> c.slowCallDuration(Duration.ofSeconds(1)));
        }

        @Test
        void more_minimum_calls_than_the_window_has() {
            assertRefused(
                    "minCalls must be at most countWindow 10, but was 11",
                    c -> c.countWindow(10).minCalls(11));
            assertRefused("minCalls must be at most countWindow 100, but was 101", c -> c.minCalls(101));
        }
    }

    @Nested
    class OfProbes {
        @Test
        void more_successes_than_probes() {
            assertRefused("halfOpenSuccesses must be at most halfOpenCalls 5, but was 6", c -> c.halfOpenSuccesses(6));
        }

        @Test
        void the_default_lease_never_follows_a_short_open_time() {
            Duration second = Duration.ofSeconds(1);
            assertThat(CircuitBreakerConfig.builder().openFor(second).build().probeLease())
                    .isEqualTo(second.multipliedBy(30));
            Duration minute = Duration.ofMinutes(1);
            assertThat(CircuitBreakerConfig.builder().openFor(minute).build().probeLease())
                    .isEqualTo(minute);
        }
    }

    @Nested
    class CopiedToABuilder {
        private final CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                .countWindow(50)
                .failureRate(0.4)
                .slowCallRate(0.3)
                .slowCallDuration(Duration.ofSeconds(2))
                .openFor(Duration.ofSeconds(1), 2, Duration.ofMinutes(1))
                .openJitter(0.2)
                .openForHint(Duration.ofMinutes(5))
                .halfOpenCalls(7)
                .halfOpenSuccesses(6)
                .probeLease(Duration.ofSeconds(3))
                .expiredProbesFail(false)
                .ramp(Duration.ofSeconds(4), 0.1, 0.5)
                .outcomes(rule -> rule.onError(IllegalStateException.class, Verdict.IGNORED))
                .totals(true)
                .build();

        @Test
        void everything_is_kept() {
            CircuitBreakerConfig copy = config.toBuilder().build();
            assertThat(copy).usingRecursiveComparison().isEqualTo(config);
        }

        @Test
        void a_window_replaces_the_other_one() {
            assertThatCode(() -> config.toBuilder()
                            .timeWindow(Duration.ofSeconds(10))
                            .build())
                    .doesNotThrowAnyException();
            assertThat(config.toBuilder()
                            .consecutiveFailures(3)
                            .build()
                            .windowRules()
                            .hasSlowRule())
                    .isFalse();
            assertThat(config.toBuilder().timeWindow(Duration.ofSeconds(10)).build().toBuilder()
                            .countWindow(20)
                            .build()
                            .windowRules()
                            .hasTimeWindow())
                    .isFalse();
        }

        @Test
        void later_changes_of_a_builder_do_not_reach_what_it_has_built() {
            CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.builder();
            CircuitBreakerConfig first = builder.build();
            builder.halfOpenCalls(9);
            assertThat(first.halfOpenCalls()).isEqualTo(5);
        }
    }

    @Nested
    class Read {
        @Test
        void every_default() {
            CircuitBreakerConfig config = CircuitBreaker.of("b").config();
            assertThat(config.failureRate()).isEqualTo(0.5);
            assertThat(config.slowCallRate()).isZero();
            assertThat(config.slowCallDuration()).isZero();
            assertThat(config.countWindow()).isEqualTo(100);
            assertThat(config.timeWindow()).isZero();
            assertThat(config.consecutiveFailures()).isZero();
            assertThat(config.minCalls()).isEqualTo(20);
            assertThat(config.openFor()).isEqualTo(Duration.ofSeconds(30));
            assertThat(config.openForMultiplier()).isOne();
            assertThat(config.openForMax()).isEqualTo(Duration.ofSeconds(30));
            assertThat(config.openJitter()).isZero();
            assertThat(config.openForHint()).isZero();
            assertThat(config.halfOpenCalls()).isEqualTo(5);
            assertThat(config.halfOpenSuccesses()).isZero();
            assertThat(config.probeLease()).isEqualTo(Duration.ofSeconds(30));
            assertThat(config.expiredProbesFail()).isTrue();
            assertThat(config.rampStep()).isZero();
            assertThat(config.rampShares()).isEmpty();
            assertThat(config.outcomes()).isSameAs(OutcomeRule.standard());
            assertThat(config.totals()).isFalse();
        }

        @Test
        void everything_that_was_set() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                    .failureRate(0.4)
                    .slowCallRate(0.3)
                    .slowCallDuration(Duration.ofSeconds(2))
                    .timeWindow(Duration.ofSeconds(10))
                    .minCalls(7)
                    .openFor(Duration.ofSeconds(1), 2, Duration.ofMinutes(1))
                    .openJitter(0.2)
                    .openForHint(Duration.ofMinutes(5))
                    .halfOpenCalls(3)
                    .halfOpenSuccesses(2)
                    .probeLease(Duration.ofSeconds(3))
                    .expiredProbesFail(false)
                    .ramp(Duration.ofSeconds(4), 0.1, 0.5)
                    .totals(true)
                    .build();
            assertThat(config.failureRate()).isEqualTo(0.4);
            assertThat(config.slowCallRate()).isEqualTo(0.3);
            assertThat(config.slowCallDuration()).isEqualTo(Duration.ofSeconds(2));
            assertThat(config.countWindow()).isZero();
            assertThat(config.timeWindow()).isEqualTo(Duration.ofSeconds(10));
            assertThat(config.minCalls()).isEqualTo(7);
            assertThat(config.openFor()).isEqualTo(Duration.ofSeconds(1));
            assertThat(config.openForMultiplier()).isEqualTo(2);
            assertThat(config.openForMax()).isEqualTo(Duration.ofMinutes(1));
            assertThat(config.openJitter()).isEqualTo(0.2);
            assertThat(config.openForHint()).isEqualTo(Duration.ofMinutes(5));
            assertThat(config.halfOpenCalls()).isEqualTo(3);
            assertThat(config.halfOpenSuccesses()).isEqualTo(2);
            assertThat(config.probeLease()).isEqualTo(Duration.ofSeconds(3));
            assertThat(config.expiredProbesFail()).isFalse();
            assertThat(config.rampStep()).isEqualTo(Duration.ofSeconds(4));
            assertThat(config.rampShares()).containsExactly(0.1, 0.5);
            assertThat(config.totals()).isTrue();
        }

        @Test
        void failures_in_a_row_instead_of_a_window_with_a_rate() {
            CircuitBreakerConfig config =
                    CircuitBreakerConfig.builder().consecutiveFailures(3).build();
            assertThat(config.consecutiveFailures()).isEqualTo(3);
            assertThat(config.failureRate()).isZero();
            assertThat(config.countWindow()).isZero();
            assertThat(config.timeWindow()).isZero();
            assertThat(config.minCalls()).isZero();
        }

        @Test
        void shares_of_a_ramp_that_cannot_be_changed() {
            CircuitBreakerConfig config = CircuitBreakerConfig.builder()
                    .ramp(Duration.ofSeconds(1), 0.5)
                    .build();
            config.rampShares()[0] = 1;
            assertThat(config.rampShares()).containsExactly(0.5);
        }
    }

    @Test
    void a_rule_for_outcomes_can_be_given_or_changed() {
        OutcomeRule rule = OutcomeRule.standard().onError(IllegalStateException.class, Verdict.IGNORED);
        CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.builder().outcomes(rule);
        assertThat(builder.build().outcomes()).isSameAs(rule);
        OutcomeRule[] before = new OutcomeRule[1];
        OutcomeRule after = OutcomeRule.standard();
        builder.outcomes(set -> {
            before[0] = set;
            return after;
        });
        assertThat(before[0]).isSameAs(rule);
        assertThat(builder.build().outcomes()).isSameAs(after);
    }

    @Test
    void it_prints_what_matters() {
        assertThat(CircuitBreakerConfig.builder().build())
                .hasToString("failure rate 0.5 of 100 calls, at least 20; open for 30s; 5 probes");
        assertThat(CircuitBreakerConfig.builder().consecutiveFailures(3).build())
                .hasToString("3 failures in a row; open for 30s; 5 probes");
    }

    @ParameterizedTest
    @ValueSource(
            longs = {1, 2, 63, 64, 65, 100, 128, 129, 640, 641, 999, 1_000_000_000, 10_000_000_000L, Long.MAX_VALUE >> 1
            })
    void a_time_window_has_a_round_width_and_few_buckets(long nanos) {
        long width = TimeWindow.width(nanos);
        assertThat(nanos / width).isBetween(Math.min(nanos, 25), 64L);
        assertThat(Long.toString(width)).matches("[125]0*");
    }
}
