package dev.levee.ratelimit;

import java.math.BigInteger;
import java.time.Duration;

/**
 * A token bucket without rounding or wrapping, and slow: the oracle. One permit comes back every {@code numerator /
 * denominator} nanoseconds; time is counted in nanoseconds times the denominator, in numbers of any size.
 */
final class ExactBucket {
    private final BigInteger interval;
    private final BigInteger denominator;
    private final BigInteger tolerance;
    private BigInteger fullAt;

    private ExactBucket(BigInteger interval, BigInteger denominator, long burst) {
        this.interval = interval;
        this.denominator = denominator;
        this.tolerance = interval.multiply(BigInteger.valueOf(burst));
        this.fullAt = BigInteger.ZERO;
    }

    /** The bucket that a limit asks for. */
    static ExactBucket asked(TokenBucketLimit limit) {
        return new ExactBucket(nanos(limit), BigInteger.valueOf(limit.permits()), limit.burst());
    }

    ExactBucket copy() {
        ExactBucket copy = new ExactBucket(
                interval, denominator, tolerance.divide(interval).longValueExact());
        copy.fullAt = fullAt;
        return copy;
    }

    static BigInteger nanos(TokenBucketLimit limit) {
        Duration per = limit.per();
        return BigInteger.valueOf(per.getSeconds())
                .multiply(BigInteger.valueOf(1_000_000_000))
                .add(BigInteger.valueOf(per.getNano()));
    }

    /** Takes permits if they are there at a time since the beginning, or returns when they will be. */
    long takeOrWait(BigInteger nanos, long permits) {
        long wait = peek(nanos, permits);
        if (wait == 0) {
            fullAt = fullAt.max(nanos.multiply(denominator)).add(interval.multiply(BigInteger.valueOf(permits)));
        }
        return wait;
    }

    /** Returns what {@link #takeOrWait} would return. */
    long peek(BigInteger nanos, long permits) {
        BigInteger now = nanos.multiply(denominator);
        BigInteger cost = interval.multiply(BigInteger.valueOf(permits));
        if (cost.compareTo(tolerance) > 0) {
            return RateLimiter.NEVER;
        }
        BigInteger early = fullAt.max(now).add(cost).subtract(tolerance).subtract(now);
        return early.signum() <= 0
                ? 0
                : early.add(denominator)
                        .subtract(BigInteger.ONE)
                        .divide(denominator)
                        .longValueExact();
    }
}
