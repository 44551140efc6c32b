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

    /** The bucket that a limit gets, whose interval is rounded as documented. */
    static ExactBucket rounded(TokenBucketLimit limit) {
        Gcra gcra = Gcra.of(limit);
        return new ExactBucket(
                BigInteger.valueOf(gcra.interval()), BigInteger.valueOf(gcra.ticksPerNano()), limit.burst());
    }

    static BigInteger nanos(TokenBucketLimit limit) {
        Duration per = limit.per();
        return BigInteger.valueOf(per.getSeconds())
                .multiply(BigInteger.valueOf(1_000_000_000))
                .add(BigInteger.valueOf(per.getNano()));
    }

    /** Takes permits if they are there at a time since the beginning. */
    boolean take(BigInteger nanos, long permits) {
        BigInteger now = nanos.multiply(denominator);
        BigInteger next = fullAt.max(now).add(interval.multiply(BigInteger.valueOf(permits)));
        if (next.subtract(now).compareTo(tolerance) > 0) {
            return false;
        }
        fullAt = next;
        return true;
    }
}
