package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.testing.ManualTime;
import java.math.BigInteger;
import java.time.Duration;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Limits that space calls: paced, and with a warm-up. */
@SuppressWarnings({"IntLongMath", "LongDoubleConversion"})
class PacingTest {
    private static final long SECOND = 1_000_000_000;

    /** Takes at the first moment at which it can be, and returns when that is. */
    private static long takeAtOnce(Meter meter, long now, long permits) {
        long wait = meter.take(now, permits);
        if (wait > 0) {
            assertThat(meter.take(now + wait, permits)).isZero();
        }
        return now + wait;
    }

    @Nested
    class Paced {
        @Test
        void calls_are_spaced_and_a_pause_saves_nothing_up() {
            Meter meter = MeterHistory.meter(Limit.paced(10, Duration.ofSeconds(1)), 0);
            assertThat(meter.take(0, 1)).isZero();
            assertThat(meter.take(0, 1)).isEqualTo(100_000_000);
            assertThat(meter.take(3600 * SECOND, 1)).isZero();
            assertThat(meter.take(3600 * SECOND, 1)).isEqualTo(100_000_000);
            assertThat(meter.take(3600 * SECOND + 100_000_000, 5)).isZero();
            assertThat(meter.take(3600 * SECOND + 100_000_000, 1)).isEqualTo(500_000_000);
        }

        /** Three in a second are one every 333,333,333 and a third nanoseconds, without a drift. */
        @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
        void a_million_calls_take_as_long_as_the_rate_says(@ForAll long seed) {
            MeterHistory draw = new MeterHistory(seed);
            PacedLimit limit = draw.paced();
            Meter meter = MeterHistory.meter(limit, 0);
            long now = 0;
            long permits = 0;
            BigInteger per = BigInteger.valueOf(MeterHistory.window(limit));
            for (int call = 0; call < 1_000 && now < MeterHistory.YEAR; call++) {
                now = takeAtOnce(meter, now, 1);
                BigInteger exact = per.multiply(BigInteger.valueOf(permits++))
                        .add(BigInteger.valueOf(limit.permits() - 1))
                        .divide(BigInteger.valueOf(limit.permits()));
                assertThat(BigInteger.valueOf(now)).isEqualTo(exact);
            }
        }

        @Test
        void it_delays_calls_that_wait() throws Exception {
            ManualTime time = new ManualTime().autoAdvance();
            RateLimiter limiter = RateLimiter.of("l", Limit.paced(10, Duration.ofSeconds(1)), time.environment());
            for (int call = 0; call < 5; call++) {
                limiter.acquire(1, Duration.ofSeconds(1));
            }
            assertThat(time.elapsed()).isEqualTo(Duration.ofMillis(400));
        }

        @Test
        void limits_out_of_range_are_named() {
            assertThatThrownBy(() -> Limit.paced(0, Duration.ofSeconds(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("permits must be from 1 to 1000000000, but was 0");
            assertThatThrownBy(() -> Limit.paced(1, Duration.ofSeconds(1)).largest(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("largest must be from 1 to 4611686018, but was 0");
            assertThat(Limit.paced(10, Duration.ofSeconds(1))).hasToString("10 per 1s, paced, at most 10 at once");
        }
    }

    @Nested
    class Spaced {
        private final Meter meter = new PacedMeter(Limit.paced(10, Duration.ofSeconds(1)), 0);

        @Test
        void debts_add_up() {
            meter.take(0, 1);
            meter.charge(0, 2);
            meter.charge(0, 1);

            assertThat(meter.waitNanos(0, 1)).isEqualTo(4 * SECOND / 10);
        }

        @Test
        void a_call_gives_back_in_parts_what_it_took_and_no_more() {
            meter.charge(0, 3);
            meter.charge(0, 4);
            meter.giveBack(0, 0, 2);
            assertThat(meter.waitNanos(0, 1)).isEqualTo(5 * SECOND / 10);
            meter.giveBack(0, 0, 2);
            assertThat(meter.waitNanos(0, 1)).isEqualTo(3 * SECOND / 10);
            meter.giveBack(0, 0, 2);
            assertThat(meter.waitNanos(0, 1)).isEqualTo(3 * SECOND / 10);
        }
    }

    @Nested
    class WarmingUp {
        private final WarmUpLimit limit = Limit.warmUp(100, Duration.ofSeconds(1), Duration.ofSeconds(5));

        /** threshold = 250 and max = 500 permits: from cold the climb takes 5 s, and 2.5 s more until it is empty. */
        @Test
        void from_cold_the_climb_takes_the_warm_up_and_the_rest_half_of_it() {
            Meter meter = MeterHistory.meter(limit, 0);
            long now = 0;
            for (int call = 0; call < 250; call++) {
                now = takeAtOnce(meter, now, 1);
            }
            now = takeAtOnce(meter, now, 1);
            assertThat(now).isCloseTo(5 * SECOND, within(1L));
            for (int call = 0; call < 250; call++) {
                now = takeAtOnce(meter, now, 1);
            }
            assertThat(now).isCloseTo(15 * SECOND / 2, within(1L));
            assertThat(takeAtOnce(meter, now, 1) - now).isCloseTo(10_000_000L, within(1L));
        }

        @Test
        void the_first_permit_takes_three_times_as_long_as_one_in_steady_use() {
            Meter meter = MeterHistory.meter(limit, 0);
            meter.take(0, 1);
            // the integral from 500 to 499 under a line from 30 ms at 500 to 10 ms at 250
            assertThat(meter.waitNanos(0, 1)).isEqualTo(29_960_000);
        }

        @Test
        void three_permits_at_once_cost_as_much_as_three_times_one() {
            Meter once = MeterHistory.meter(limit, 0);
            Meter thrice = MeterHistory.meter(limit, 0);
            long now = 0;
            for (int round = 0; round < 200; round++) {
                long atOnce = takeAtOnce(once, now, 3);
                long one = now;
                for (int call = 0; call < 3; call++) {
                    one = takeAtOnce(thrice, one, 1);
                }
                long next = atOnce + once.waitNanos(atOnce, 1);
                assertThat(one + thrice.waitNanos(one, 1)).isCloseTo(next, within(1L));
                now = next + (round % 10 == 9 ? SECOND : 0);
            }
        }

        /** Guava's arithmetic, in doubles of nanoseconds, beside it. */
        @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
        void it_is_the_arithmetic_of_guava(@ForAll long seed) {
            MeterHistory draw = new MeterHistory(seed);
            double stable = 10_000_000;
            double threshold = 0.5 * 5e9 / stable;
            double max = threshold + 2 * 5e9 / (stable + 3 * stable);
            double slope = 2 * stable / (max - threshold);
            double stored = max;
            double nextFree = 0;
            Meter meter = MeterHistory.meter(limit, 0);
            long now = 0;
            for (int call = 0; call < 300; call++) {
                long permits = 1L + draw.random().nextInt(100);
                if (now > nextFree) {
                    stored = Math.min(max, stored + (now - nextFree) / (5e9 / max));
                    nextFree = now;
                }
                long at = takeAtOnce(meter, now, permits);
                assertThat((double) at).isCloseTo(nextFree, within(2.0));
                double spent = Math.min((double) permits, stored);
                double above = Math.max(0, stored - threshold);
                double climbed = Math.min(above, spent);
                double micros = climbed * (stable + above * slope + stable + (above - climbed) * slope) / 2
                        + stable * (spent - climbed);
                nextFree += micros + (permits - spent) * stable;
                stored -= spent;
                now = at + draw.random().nextInt(3) * draw.magnitude(4 * SECOND);
            }
        }

        @Test
        void a_pause_of_the_warm_up_makes_it_cold_again() {
            Meter meter = MeterHistory.meter(limit, 0);
            long now = takeAtOnce(meter, 0, 100);
            for (int call = 0; call < 10; call++) {
                now = takeAtOnce(meter, now, 100);
            }
            now += meter.waitNanos(now, 1) + 5 * SECOND;
            meter.take(now, 1);
            assertThat(meter.waitNanos(now, 1)).isEqualTo(29_960_000);
        }

        @Test
        void a_warm_limiter_stays_as_warm_when_its_limit_is_changed() {
            ManualTime time = new ManualTime();
            RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
            for (int call = 0; call < 10; call++) {
                assertThat(limiter.tryAcquire(100)).isTrue();
                time.advance(Duration.ofNanos(limiter.tryAcquireOrWaitNanos()));
            }
            limiter.reconfigure(Limit.warmUp(200, Duration.ofSeconds(1), Duration.ofSeconds(5)), CarriedFill.SAME_USED);
            assertThat(limiter.tryAcquire()).isTrue();
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(5_000_000);
            limiter.reconfigure(limit, CarriedFill.RESET);
            assertThat(limiter.tryAcquire()).isTrue();
            assertThat(limiter.tryAcquireOrWaitNanos()).as("cold").isEqualTo(29_960_000);
        }

        @Test
        void limits_out_of_range_are_named() {
            assertThatThrownBy(() -> Limit.warmUp(1, Duration.ofSeconds(1), Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("warmUp must be more than zero");
            assertThatThrownBy(() -> limit.coldFactor(1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("coldFactor must be from 1.01 to 1000.0, but was 1.0");
            assertThatThrownBy(() -> limit.coldFactor(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> limit.largest(0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> Limit.warmUp(1, Duration.ofDays(30_000), Duration.ofDays(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("73 years");
            assertThat(limit).hasToString("100 per 1s, warm after 5s, cold factor 3.0, at most 100 at once");
        }
    }
}
