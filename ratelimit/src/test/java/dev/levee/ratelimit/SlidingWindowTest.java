package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** The two counters of the sliding window. */
class SlidingWindowTest {
    private static final long SECOND = 1_000_000_000;
    private static final SlidingWindowLimit FIFTY = Limit.slidingWindow(50, Duration.ofMinutes(1));

    private static Meter published() {
        Meter meter = MeterHistory.meter(FIFTY, 0);
        assertThat(meter.take(30 * SECOND, 42)).isZero();
        assertThat(meter.take(75 * SECOND, 18)).isZero();
        return meter;
    }

    /** 42 in the last minute, 18 in this one, of which 15 s have passed: 42 * 0.75 + 18 = 49.5. */
    @Test
    void the_published_numbers_come_out() {
        Meter meter = published();
        assertThat(meter.available(75 * SECOND)).isZero();
        // 42 * (60 - e) / 60 + 18 + 1 <= 50 from e = 15.714285715 s on
        assertThat(meter.take(75 * SECOND, 1)).isEqualTo(714_285_715);
        assertThat(meter.copy(0).waitNanos(75 * SECOND + 714_285_714, 1)).isEqualTo(1);
        assertThat(meter.take(75 * SECOND + 714_285_715, 1)).isZero();
    }

    @Test
    void the_last_permit_is_admitted_when_the_sum_is_exactly_the_limit() {
        Meter meter = MeterHistory.meter(FIFTY, 0);
        meter.take(0, 40);
        assertThat(meter.take(90 * SECOND, 30)).isZero(); // 40 * 0.5 + 30 = 50
        assertThat(meter.take(90 * SECOND, 1)).isPositive();
    }

    @Test
    void permits_that_have_no_room_in_this_window_wait_for_the_next_one() {
        Meter meter = MeterHistory.meter(FIFTY, 0);
        meter.take(0, 50);
        assertThat(meter.take(0, 1)).isEqualTo(60 * SECOND + 1_200_000_000); // 50 * 58.8/60 + 1 = 50
        assertThat(meter.take(0, 50)).isEqualTo(120 * SECOND);
        assertThat(meter.resetNanos(0)).isEqualTo(120 * SECOND);
    }

    @Test
    void a_debt_is_carried_from_window_to_window() {
        Meter meter = MeterHistory.meter(FIFTY, 0);
        meter.charge(0, 175);
        assertThat(meter.available(0)).isZero();
        assertThat(meter.waitNanos(0, 1)).isEqualTo(180 * SECOND + 60 * SECOND * 26 / 50);
        assertThat(meter.resetNanos(0)).isEqualTo(300 * SECOND);
    }

    @Test
    void a_debt_without_end_is_a_wait_without_end() {
        Meter meter = MeterHistory.meter(FIFTY, 0);
        meter.charge(0, Long.MAX_VALUE);
        meter.charge(0, Long.MAX_VALUE);
        assertThat(meter.waitNanos(0, 1)).isEqualTo(Meter.NEVER);
        assertThat(meter.resetNanos(0)).isEqualTo(Meter.NEVER);
        assertThat(meter.available(0)).isZero();
    }

    @Test
    void limits_out_of_range_are_named() {
        assertThatThrownBy(() -> Limit.slidingWindow(0, Duration.ofMinutes(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("permits")
                .hasMessageContaining("but was 0");
        assertThatThrownBy(() -> Limit.slidingWindow(1, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("per must be more than zero");
        assertThatThrownBy(() -> Limit.slidingWindow(1, Duration.ofDays(36_601)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 36600 days");
        assertThatThrownBy(() -> Limit.slidingWindow(1, null)).isInstanceOf(NullPointerException.class);
        assertThat(FIFTY).hasToString("50 per 1m, sliding window");
    }

    /** Against the formula in numbers of any size, of windows that are remembered one by one. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void it_admits_exactly_what_the_formula_says(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        SlidingWindowLimit limit = draw.sliding();
        long origin = draw.origin();
        Meter meter = MeterHistory.meter(limit, origin);
        BigInteger per = BigInteger.valueOf(MeterHistory.window(limit));
        Map<BigInteger, BigInteger> counts = new HashMap<>();
        BigInteger elapsed = BigInteger.ZERO;
        for (int call = 0; call < 60; call++) {
            BigInteger[] window = elapsed.divideAndRemainder(per);
            long permits = draw.permits(limit);
            BigInteger previous = counts.getOrDefault(window[0].subtract(BigInteger.ONE), BigInteger.ZERO);
            BigInteger current = counts.getOrDefault(window[0], BigInteger.ZERO).add(BigInteger.valueOf(permits));
            boolean fits = previous.multiply(per.subtract(window[1]))
                            .add(current.multiply(per))
                            .compareTo(BigInteger.valueOf(limit.permits()).multiply(per))
                    <= 0;
            assertThat(meter.take(origin + elapsed.longValue(), permits) == 0).isEqualTo(fits);
            if (fits) {
                counts.put(window[0], current);
            }
            elapsed = elapsed.add(BigInteger.valueOf(draw.step(limit)));
        }
    }

    @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
    void products_and_quotients_are_exact(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        long a = draw.magnitude(Long.MAX_VALUE);
        long divisor = Math.max(a, draw.magnitude(Long.MAX_VALUE));
        long b = draw.magnitude(Long.MAX_VALUE);
        long d = draw.magnitude(Long.MAX_VALUE);
        BigInteger product = BigInteger.valueOf(a).multiply(BigInteger.valueOf(b));
        BigInteger[] quotient = product.divideAndRemainder(BigInteger.valueOf(divisor));
        assertThat(Ratio.floor(a, b, divisor)).isEqualTo(quotient[0].longValueExact());
        assertThat(Ratio.ceiling(a, b, divisor)).isEqualTo(quotient[0].longValueExact() + quotient[1].signum());
        assertThat(Ratio.isAtMost(a, b, divisor, d))
                .isEqualTo(product.compareTo(BigInteger.valueOf(divisor).multiply(BigInteger.valueOf(d))) <= 0);
    }
}
