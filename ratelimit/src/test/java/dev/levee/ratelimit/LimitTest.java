package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
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
        @Test
        void whole_nanoseconds_between_permits_are_exact() {
            assertThat(Limit.perSecond(1_000_000_000).rateError()).isZero();
            assertThat(Limit.perSecond(100).rateError()).isZero();
            assertThat(Gcra.of(Limit.perSecond(100)).ticksPerNano()).isEqualTo(1);
        }

        @Test
        void three_hundred_million_a_second_is_exact_where_whole_nanoseconds_are_wrong_by_a_ninth() {
            Gcra gcra = Gcra.of(Limit.perSecond(300_000_000));
            assertThat(gcra.interval()).isEqualTo(10);
            assertThat(gcra.ticksPerNano()).isEqualTo(3);
            assertThat(Limit.perSecond(300_000_000).rateError()).isZero();
            assertThat(Limit.perSecond(700_000).rateError()).isBetween(-1e-6, 0.0);
            assertThat(Limit.perSecond(10_000_000_000L).rateError()).isZero();
        }

        @Test
        void what_is_not_exact_is_less_and_says_so() {
            TokenBucketLimit odd = Limit.perSecond(123_456_789);
            assertThat(odd.rateError()).isCloseTo(-2.1e-4, within(1e-5));
            assertThat(odd).hasToString("123456789 per 1s, burst 123456789, rate error -2.1e-04");
        }

        @Test
        void ordinary_rates_need_no_ticks() {
            for (long permits = 1; permits <= 1000; permits++) {
                assertThat(Gcra.of(Limit.perSecond(permits)).ticksPerNano()).isEqualTo(1);
                assertThat(Limit.perSecond(permits).rateError()).isBetween(-1e-6, 0.0);
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
        void more_permits_than_ticks() {
            assertThat(Limit.perSecond(64_000_000_000L).rateError()).isZero();
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
        void a_permit_in_a_hundred_years() {
            assertThat(Limit.of(1, Duration.ofDays(26_687)).burst()).isEqualTo(1);
            assertThatThrownBy(() -> Limit.of(1, Duration.ofDays(36_500)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("per must be at most 26687 days for each permit, but was 876000h for 1");
            assertThat(new TokenBucketLimit(Long.MAX_VALUE / 4, Duration.ofSeconds(Long.MAX_VALUE), 1).rateError())
                    .isBetween(-1e-6, 0.0);
        }

        @Test
        void a_burst_that_takes_longer_to_fill_than_time_can_be_told() {
            assertThat(Limit.perSecond(1).burst(2_305_843_009L).burst()).isEqualTo(2_305_843_009L);
            assertThatThrownBy(() -> Limit.perSecond(1).burst(2_305_843_010L))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("burst must be from 1 to 2305843009, but was 2305843010");
            assertThatThrownBy(() -> Limit.perSecond(1).burst(0)).hasMessageContaining("but was 0");
        }
    }
}
