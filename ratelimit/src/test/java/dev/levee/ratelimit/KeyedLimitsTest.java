package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Limits of their own for keys, and permits that are counted afterwards. */
class KeyedLimitsTest {
    private static final long MILLI = 1_000_000;
    private static final TokenBucketLimit SMALL = Limit.perSecond(100).burst(10);
    private static final TokenBucketLimit LARGE = Limit.perSecond(7_000).burst(300);

    private final ManualTime time = new ManualTime();
    private final Map<String, TokenBucketLimit> plans = new HashMap<>(Map.of("small", SMALL, "large", LARGE));
    private final KeyedRateLimiter<String> limiter =
            KeyedRateLimiter.of("tenants", c -> c.limits(plans::get), time.environment());

    @Nested
    class LimitsOfTheirOwn {
        @Test
        void hold_each_for_its_key() {
            assertThat(limiter.tryAcquireOrWaitNanos("small", 10)).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("large", 300)).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("small")).isEqualTo(10 * MILLI);
            assertThat(limiter.tryAcquireOrWaitNanos("large")).isEqualTo(142_858);
            assertThat(limiter.tryAcquireOrWaitNanos("small", 11)).isEqualTo(KeyedRateLimiter.NEVER);
            assertThat(limiter.availablePermits("large")).isZero();
            time.advance(Duration.ofMillis(10));
            assertThat(limiter.availablePermits("large")).isEqualTo(70);
            assertThat(limiter.availablePermits("small")).isEqualTo(1);
            assertThat(limiter).hasToString("limiter \"tenants\" [a limit for each key; 2 of 100000 keys]");
        }

        @Test
        void must_be_there_for_each_key() {
            assertThatThrownBy(() -> limiter.tryAcquire("unknown"))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("limits(key)");
            assertThatThrownBy(() -> limiter.tryAcquire(null)).hasMessage("key");
            assertThatThrownBy(() -> KeyedRateLimiter.of("l", c -> c.limits(null)))
                    .hasMessage("limiter \"l\": limits");
        }

        @Test
        void replace_a_shared_one_and_the_other_way_round() {
            KeyedRateLimiterConfig<String> config = KeyedRateLimiterConfig.<String>builder()
                    .limit(SMALL)
                    .limits(key -> LARGE)
                    .keyBy(String::length)
                    .maxDebt(3)
                    .build();
            assertThat(config.limit()).isNull();
            assertThat(config.limits()).isNotNull();
            assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
            assertThat(config.toBuilder().limit(SMALL).build().limits()).isNull();
        }

        @Test
        void that_throw_leave_nothing_behind() {
            KeyedRateLimiter<String> failing = KeyedRateLimiter.of(
                    "l",
                    c -> c.limits(key -> {
                        throw new IllegalStateException("no plans");
                    }),
                    time.environment());
            assertThatThrownBy(() -> failing.tryAcquire("a")).isInstanceOf(IllegalStateException.class);
            assertThat(failing.size()).isZero();
        }

        @Test
        void may_be_new_ones_in_each_call() {
            KeyedRateLimiter<Integer> varied = KeyedRateLimiter.of(
                    "l", c -> c.limits(key -> Limit.perSecond(1000 + key).burst(5)), time.environment());
            for (int round = 0; round < 2; round++) {
                for (int key = 0; key < 5_000; key++) {
                    assertThat(varied.tryAcquire(key, 2)).isTrue();
                }
            }
            for (int key = 0; key < 5_000; key++) {
                assertThat(varied.availablePermits(key)).isEqualTo(1);
            }
        }

        @Test
        void of_an_evicted_key_are_compared_by_time() {
            KeyedRateLimiter<String> full =
                    KeyedRateLimiter.of("l", c -> c.limits(plans::get).maxKeys(1), time.environment());
            plans.put("other", LARGE);
            full.tryAcquire("large", 100); // in debt for 14 ms
            full.tryAcquire("small", 2);
            assertThat(full.availablePermits("large")).isEqualTo(300);
            assertThat(full.availablePermits("small")).isEqualTo(8);
            KeyedRateLimiter<String> two =
                    KeyedRateLimiter.of("l", c -> c.limits(plans::get).maxKeys(2), time.environment());
            two.tryAcquire("large", 100);
            two.tryAcquire("small", 2); // in debt for 20 ms
            two.tryAcquire("other");
            assertThat(two.availablePermits("large")).as("forgiven").isEqualTo(300);
            assertThat(two.availablePermits("small")).isEqualTo(8);
        }
    }

    @Nested
    class ALimitThatChanges {
        @Test
        void keeps_what_was_consumed() {
            limiter.tryAcquire("small", 4);
            plans.put("small", LARGE);
            assertThat(limiter.availablePermits("small")).isEqualTo(296);
            assertThat(limiter.tryAcquireOrWaitNanos("small", 296)).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("small")).isEqualTo(142_858);
        }

        @Test
        void keeps_at_most_the_whole_of_a_smaller_burst() {
            limiter.tryAcquire("large", 200);
            plans.put("large", SMALL);
            assertThat(limiter.availablePermits("large")).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos("large")).isEqualTo(10 * MILLI);
            time.advance(Duration.ofMillis(100));
            assertThat(limiter.availablePermits("large")).isEqualTo(10);
        }

        @Test
        void is_the_same_if_it_only_equals_the_last_one() {
            limiter.tryAcquire("small", 4);
            plans.put("small", Limit.perSecond(100).burst(10));
            assertThat(limiter.availablePermits("small")).isEqualTo(6);
            assertThat(limiter.tryAcquire("small", 6)).isTrue();
            assertThat(limiter.tryAcquire("small")).isFalse();
        }

        @Test
        void back_and_forth_makes_no_permit() {
            limiter.tryAcquire("small", 4);
            for (int round = 0; round < 1_000; round++) {
                plans.put("small", round % 2 == 0 ? LARGE : SMALL);
                assertThat(limiter.availablePermits("small")).isLessThanOrEqualTo(round % 2 == 0 ? 296 : 6);
                limiter.settle("small", 0);
                limiter.tryAcquireOrWaitNanos("small", 300);
            }
            plans.put("small", SMALL);
            assertThat(limiter.tryAcquire("small", 7)).isFalse();
            assertThat(limiter.availablePermits("small")).isBetween(5L, 6L);
        }

        @Test
        void of_a_key_that_rested_for_long_finds_it_full() {
            limiter.tryAcquire("small", 10);
            time.advance(Duration.ofDays(10_000));
            plans.put("small", LARGE);
            assertThat(limiter.tryAcquire("small", 300)).isTrue();
        }
    }

    @Nested
    class ADecision {
        @Test
        void has_what_headers_say() {
            assertThat(limiter.decide("small", 4))
                    .isEqualTo(new RateDecision(true, "tenants", SMALL, 6, 0, 40 * MILLI));
            assertThat(limiter.decide("small", 7))
                    .isEqualTo(new RateDecision(false, "tenants", SMALL, 6, 10 * MILLI, 40 * MILLI));
            assertThat(limiter.decide("small", 11))
                    .isEqualTo(new RateDecision(false, "tenants", SMALL, 6, KeyedRateLimiter.NEVER, 40 * MILLI));
            assertThat(limiter.decide("large", 1)).isEqualTo(new RateDecision(true, "tenants", LARGE, 299, 0, 142_858));
        }

        @Test
        void has_bounds() {
            assertThatThrownBy(() -> limiter.decide("small", 0)).hasMessage("permits must be at least 1, but was 0");
            assertThatThrownBy(() -> limiter.decide(null, 1)).hasMessage("key");
        }
    }

    @Nested
    class Settling {
        private final KeyedRateLimiter<String> indebted =
                KeyedRateLimiter.of("l", c -> c.limits(plans::get).maxDebt(20), time.environment());

        @Test
        void takes_what_was_used_in_excess_down_to_the_largest_debt() {
            indebted.tryAcquire("small");
            indebted.settle("small", 14);
            assertThat(indebted.availablePermits("small")).isZero();
            assertThat(indebted.tryAcquireOrWaitNanos("small")).isEqualTo(60 * MILLI);
            indebted.settle("small", Long.MAX_VALUE);
            assertThat(indebted.tryAcquireOrWaitNanos("small")).isEqualTo(210 * MILLI);
            time.advance(Duration.ofMillis(210));
            assertThat(indebted.tryAcquire("small")).isTrue();
            assertThat(indebted.tryAcquire("small")).isFalse();
        }

        @Test
        void adds_a_key_that_was_not_held() {
            indebted.settle("small", 12);
            assertThat(indebted.size()).isEqualTo(1);
            assertThat(indebted.tryAcquireOrWaitNanos("small")).isEqualTo(30 * MILLI);
        }

        @Test
        void without_a_debt_takes_what_is_there() {
            limiter.settle("small", 1_000);
            assertThat(limiter.tryAcquireOrWaitNanos("small")).isEqualTo(10 * MILLI);
        }

        @Test
        void gives_back_what_was_not_used_up_to_the_burst() {
            limiter.tryAcquire("small", 8);
            limiter.settle("small", -5);
            assertThat(limiter.availablePermits("small")).isEqualTo(7);
            limiter.settle("small", -Long.MAX_VALUE);
            assertThat(limiter.availablePermits("small")).isEqualTo(10);
            limiter.settle("large", -5);
            assertThat(limiter.size()).as("nothing to give back").isZero();
            limiter.settle("large", 0);
            assertThat(limiter.size()).isZero();
        }

        @Test
        void keeps_a_debt_when_the_limit_changes() {
            indebted.settle("small", 25);
            plans.put("small", LARGE);
            assertThat(indebted.tryAcquire("small", 276)).isFalse();
            assertThat(indebted.tryAcquire("small", 275)).isTrue();
            indebted.settle("small", 20);
            plans.put("small", SMALL);
            assertThat(indebted.tryAcquireOrWaitNanos("small")).isEqualTo(210 * MILLI);
        }

        @Test
        void has_bounds() {
            assertThatThrownBy(() -> limiter.settle("small", Long.MIN_VALUE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("permits");
            assertThatThrownBy(() -> limiter.settle(null, 1)).hasMessage("key");
            assertThatThrownBy(
                            () -> KeyedRateLimiter.of("l", c -> c.limit(SMALL).maxDebt(-1)))
                    .hasMessage("limiter \"l\": maxDebt must be at least 0, but was -1");
            assertThatThrownBy(
                            () -> KeyedRateLimiter.of("l", c -> c.limit(SMALL).maxDebt(Long.MAX_VALUE)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("limiter \"l\": maxDebt must be from 0 to ");
        }
    }
}
