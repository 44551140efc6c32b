package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LimitTest {
    @Test
    void a_limit_admits_at_once_what_it_admits_per_time_unless_it_is_told_another_burst() {
        assertThat(Limit.perSecond(100)).isEqualTo(new TokenBucketLimit(100, Duration.ofSeconds(1), 100));
        assertThat(Limit.perSecond(100).burst(200)).isEqualTo(new TokenBucketLimit(100, Duration.ofSeconds(1), 200));
        assertThat(Limit.of(5, Duration.ofMinutes(1)).burst(1))
                .isEqualTo(new TokenBucketLimit(5, Duration.ofMinutes(1), 1));
    }

    @Test
    void it_prints_what_it_is() {
        assertThat(Limit.perSecond(100).burst(200)).hasToString("100 per 1s, burst 200");
        assertThat(Limit.of(5, Duration.ofHours(24))).hasToString("5 per 24h, burst 5");
    }

    @Nested
    class Precision {
        private double error(TokenBucketLimit limit) {
            return Gcra.of(limit).rateError(limit.permits(), limit.per());
        }

        @Test
        void the_rate_is_exact_for_whole_numbers_up_to_a_million_per_second_minute_or_hour() {
            for (Duration per : List.of(Duration.ofSeconds(1), Duration.ofMinutes(1), Duration.ofHours(1))) {
                for (long permits = 1; permits <= 1_000_000; permits += permits < 2_000 ? 1 : 997) {
                    assertThat(Gcra.of(Limit.of(permits, per)).isExact())
                            .as("%s per %s", permits, per)
                            .isTrue();
                }
            }
            assertThat(error(Limit.perSecond(1_000_000_000))).isZero();
            assertThat(error(Limit.perSecond(64_000_000_000L))).isZero();
        }

        @Test
        void a_rate_that_is_not_exact_is_slower_by_less_than_one_in_ten_to_the_eighteenth() {
            for (TokenBucketLimit limit : List.of(
                    Limit.perSecond(123_456_789),
                    Limit.perSecond(999_999_999),
                    Limit.perSecond(63_999_999_999L),
                    Limit.of(1_234_567_891, Duration.ofDays(36_524)),
                    new TokenBucketLimit(Long.MAX_VALUE / 4, Duration.ofSeconds(Long.MAX_VALUE), 1))) {
                assertThat(error(limit)).as("%s", limit).isBetween(-1e-18, 0.0);
            }
        }

        @Test
        void one_permit_in_a_hundred_years_comes_after_a_hundred_years() {
            ManualTime time = new ManualTime();
            Duration century = Duration.ofDays(36_525);
            RateLimiter limiter = RateLimiter.of("l", Limit.of(1, century), time.environment());
            assertThat(limiter.tryAcquireOrWaitNanos()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(century.toNanos());
            time.advance(century.minusNanos(1));
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(1);
            time.advance(Duration.ofNanos(1));
            assertThat(limiter.tryAcquireOrWaitNanos()).isZero();
        }

        @Test
        void a_saturated_limiter_admits_what_its_rate_says() {
            for (long permits : List.of(1_000_000_000L, 999_999_937L, 123_456_789L, 700_001L, 7L)) {
                SettableClock clock = new SettableClock(Long.MAX_VALUE - 1_000_000_000);
                RateLimiter limiter = RateLimiter.of(
                        "l", Limit.perSecond(permits).burst(Math.max(2, permits / 10)), clock.environment());
                long admitted = 0;
                for (int step = 0; step <= 100; step++) {
                    clock.set(Long.MAX_VALUE - 1_000_000_000 + step * 50_000_000L);
                    long available = limiter.availablePermits();
                    if (available > 0) {
                        assertThat(limiter.tryAcquire(available)).isTrue();
                        admitted += available;
                    }
                }
                long all = Math.max(2, permits / 10) + 5 * permits;
                assertThat(admitted).as("%s per second", permits).isBetween(all - 1, all);
            }
        }
    }

    @Nested
    class Refusals {
        @Test
        void no_permits_at_all() {
            assertThatThrownBy(() -> Limit.perSecond(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("permits must be at least 1, but was 0");
            assertThatThrownBy(() -> Limit.perSecond(-1)).hasMessage("permits must be at least 1, but was -1");
        }

        @Test
        void more_permits_than_64_in_a_nanosecond() {
            assertThatThrownBy(() -> Limit.perSecond(64_000_000_001L))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "permits must be at most 64000000000, 64 for each nanosecond of 1s, but was 64000000001");
        }

        @Test
        void no_time() {
            assertThatThrownBy(() -> Limit.of(1, Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("per must be more than zero, but was 0s");
            assertThatThrownBy(() -> Limit.of(1, Duration.ofNanos(-1))).hasMessageContaining("per must be");
            assertThatThrownBy(() -> Limit.of(1, null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("per");
        }

        @Test
        void a_permit_in_two_hundred_years() {
            assertThat(Limit.of(1, Duration.ofDays(53_375)).burst()).isEqualTo(1);
            assertThatThrownBy(() -> Limit.of(1, Duration.ofDays(73_050)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("per must be at most 53375 days for each permit, but was 1753200h for 1");
        }

        @Test
        void a_burst_that_takes_longer_to_fill_than_time_can_be_told() {
            assertThat(Limit.perSecond(1).burst(4_611_686_018L).burst()).isEqualTo(4_611_686_018L);
            assertThatThrownBy(() -> Limit.perSecond(1).burst(4_611_686_019L))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("burst must be from 1 to 4611686018, but was 4611686019");
            assertThatThrownBy(() -> Limit.perSecond(1).burst(0)).hasMessageContaining("but was 0");
        }
    }
}
