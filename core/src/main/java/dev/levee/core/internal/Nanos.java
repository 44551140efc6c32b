package dev.levee.core.internal;

import java.time.Duration;

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
