package dev.levee.core.internal;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;

/** Arithmetic on spans of nanoseconds that saturates where it would overflow. See ADR 10. */
public final class Nanos {
    /**
     * A wait that never ends: about 146 years. Half of the range of a long, so that a point in time plus {@code NEVER}
     * still compares correctly by difference.
     */
    public static final long NEVER = Long.MAX_VALUE >> 1;

    private Nanos() {}

    /**
     * Converts a duration; one that is longer than {@link #NEVER} becomes {@link #NEVER}.
     *
     * @param duration zero or more
     * @return nanoseconds from 0 to {@link #NEVER}
     */
    public static long of(Duration duration) {
        long seconds = duration.getSeconds();
        if (seconds >= NEVER / 1_000_000_000L) {
            return NEVER;
        }
        return seconds * 1_000_000_000L + duration.getNano();
    }

    /**
     * Adds two spans of zero or more.
     *
     * @param a a span
     * @param b another span
     * @return the sum, at most {@link #NEVER}
     */
    public static long add(long a, long b) {
        long sum = a + b;
        return sum < 0 || sum > NEVER ? NEVER : sum;
    }

    /**
     * Returns a span as people write it: {@code 0s}, {@code 300ns}, {@code 1.5ms}, {@code 30s}, {@code 1h30m}.
     *
     * @param nanos the span; {@link #NEVER} or longer is {@code for ever}
     * @return the text
     */
    public static String text(long nanos) {
        return nanos >= NEVER ? "for ever" : text(Duration.ofNanos(nanos));
    }

    /**
     * Returns a duration as people write it, see {@link #text(long)}.
     *
     * @param duration of any length, also negative
     * @return the text
     */
    public static String text(Duration duration) {
        if (duration.isNegative() && duration.getSeconds() != Long.MIN_VALUE) {
            return "-" + text(duration.negated());
        }
        if (duration.getSeconds() != 0 || duration.isZero()) {
            return duration.toString().substring("PT".length()).toLowerCase(Locale.ROOT);
        }
        int nanos = duration.getNano();
        if (nanos < 1_000) {
            return nanos + "ns";
        }
        return nanos < 1_000_000 ? decimal(nanos, 3) + "us" : decimal(nanos, 6) + "ms";
    }

    private static String decimal(int value, int places) {
        return BigDecimal.valueOf(value, places).stripTrailingZeros().toPlainString();
    }

    /**
     * Multiplies a span.
     *
     * @param nanos a span of zero or more
     * @param factor zero or more
     * @return the product, at most {@link #NEVER}
     */
    public static long multiply(long nanos, double factor) {
        double product = nanos * factor;
        return product >= NEVER ? NEVER : (long) product;
    }
}
