package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class NanosTest {
    private static final BigInteger NEVER = BigInteger.valueOf(Nanos.NEVER);

    @Property
    void a_duration_is_its_nanoseconds_or_never(
            @ForAll @LongRange(max = Long.MAX_VALUE) long seconds, @ForAll @IntRange(max = 999_999_999) int nanos) {
        BigInteger exact = BigInteger.valueOf(seconds)
                .multiply(BigInteger.valueOf(1_000_000_000))
                .add(BigInteger.valueOf(nanos));

        long converted = Nanos.of(Duration.ofSeconds(seconds, nanos));

        if (seconds < Nanos.NEVER / 1_000_000_000) {
            assertThat(converted).isEqualTo(exact.longValueExact());
        } else {
            assertThat(converted).isEqualTo(Nanos.NEVER);
        }
        assertThat(converted).isBetween(0L, Nanos.NEVER);
    }

    @Test
    void durations_around_never_do_not_overflow() {
        long last = Nanos.NEVER / 1_000_000_000 - 1;

        assertThat(Nanos.of(Duration.ofSeconds(last, 999_999_999))).isEqualTo(last * 1_000_000_000 + 999_999_999);
        assertThat(Nanos.of(Duration.ofSeconds(last + 1))).isEqualTo(Nanos.NEVER);
        assertThat(Nanos.of(Duration.ofNanos(Long.MAX_VALUE))).isEqualTo(Nanos.NEVER);
        assertThat(Nanos.of(Duration.ZERO)).isZero();
    }

    @Property
    void a_sum_saturates(
            @ForAll @LongRange(max = Long.MAX_VALUE) long a, @ForAll @LongRange(max = Long.MAX_VALUE) long b) {
        BigInteger exact = BigInteger.valueOf(a).add(BigInteger.valueOf(b));

        assertThat(Nanos.add(a, b)).isEqualTo(exact.min(NEVER).longValueExact());
    }

    @Property
    void a_product_saturates(
            @ForAll @LongRange(max = Nanos.NEVER) long nanos, @ForAll @DoubleRange(max = 1e300) double factor) {
        long product = Nanos.multiply(nanos, factor);

        assertThat(product).isBetween(0L, Nanos.NEVER);
        if (nanos * factor < Nanos.NEVER) {
            assertThat((double) product).isCloseTo(nanos * factor, org.assertj.core.data.Offset.offset(1.0));
        } else {
            assertThat(product).isEqualTo(Nanos.NEVER);
        }
    }

    @Property
    void a_point_in_time_plus_never_still_compares_as_later(@ForAll long now) {
        assertThat(now + Nanos.NEVER - now).isPositive();
        assertThat(now - (now + Nanos.NEVER)).isNegative();
    }
}
