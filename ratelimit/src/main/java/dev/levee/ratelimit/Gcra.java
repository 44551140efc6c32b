package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.math.BigInteger;
import java.time.Duration;

/**
 * The arithmetic of a token bucket that is kept as one number: the theoretical arrival time, at which the bucket will
 * be full again.
 *
 * <p>A call that costs {@code n} permits conforms at {@code now} if {@code max(tat, now) + n * interval - now <= burst
 * * interval}, and moves {@code tat} to {@code max(tat, now) + n * interval}. Generic cell rate algorithm, in its form
 * as virtual scheduling: ITU-T Recommendation I.371, "Traffic control and congestion control in B-ISDN", 1993; The ATM
 * Forum, "Traffic Management Specification Version 4.0", 1996.
 *
 * <pre>{@code
 * the circle of ticks, modulo 2^64
 *
 *          now           tat                      now + 2^62
 * ----------|-------------|----------------------------|------------------------- ... ---
 *           |<-- debt --->|                            |  a tat in here is in the past: debt 0
 *           |<--- tolerance = burst * interval --->|
 * }</pre>
 *
 * <p><b>Invariants.</b> Time is counted in ticks, a fixed number per nanosecond, modulo 2^64: only differences mean
 * anything, and a reading of the clock that wraps does so in ticks as well. The difference of {@code tat} and
 * {@code now} is the debt. It can be as large as the tolerance, or larger if {@code now} is a stale reading; the
 * quarter of the circle that follows {@code now} is kept for that, and everything else is the past. So a bucket may
 * rest for three quarters of the circle: longer than {@code nanoTime} can express with one tick per nanosecond, 6.8
 * years with 64. Whatever is rounded makes the limit stricter, never looser. See ADR 19.
 *
 * @param ticksPerNano how many ticks a nanosecond has, from 1 to 64
 * @param interval ticks from one permit to the next: the emission interval, rounded up
 * @param burst how many permits the bucket holds
 * @param tolerance ticks in which an empty bucket fills, at most 2^61
 * @see <a href="https://www.itu.int/rec/T-REC-I.371">ITU-T Recommendation I.371</a>
 */
record Gcra(long ticksPerNano, long interval, long burst, long tolerance) {
    private static final int MAX_TICKS_PER_NANO = 64;
    private static final long MAX_TOLERANCE = 1L << 61;

    /** The number of bits of the largest debt. */
    private static final int DEBT_BITS = 62;

    /** A relative error of the rate that needs no finer ticks; negative, as all errors are. */
    private static final double NEGLIGIBLE_ERROR = -1e-6;

    private static final BigInteger NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000L);

    static Gcra of(long permits, Duration per, long burst) {
        Require.range("permits", permits, 1, Long.MAX_VALUE);
        BigInteger nanos = nanos(Require.positive("per", per));
        BigInteger maxPermits = nanos.multiply(BigInteger.valueOf(MAX_TICKS_PER_NANO));
        if (BigInteger.valueOf(permits).compareTo(maxPermits) > 0) {
            throw new IllegalArgumentException("permits must be at most " + maxPermits + ", " + MAX_TICKS_PER_NANO
                    + " for each nanosecond of " + Nanos.text(per) + ", but was " + permits);
        }
        BigInteger maxNanos = BigInteger.valueOf(MAX_TOLERANCE).multiply(BigInteger.valueOf(permits));
        if (nanos.compareTo(maxNanos) > 0) {
            throw new IllegalArgumentException(
                    "per must be at most " + Duration.ofNanos(MAX_TOLERANCE).toDays()
                            + " days for each permit, but was " + Nanos.text(per) + " for " + permits);
        }
        long ticks = 1;
        long interval = interval(permits, nanos, 1);
        double error = error(permits, nanos, 1, interval);
        for (int finer = 2; finer <= MAX_TICKS_PER_NANO && error < NEGLIGIBLE_ERROR; finer++) {
            long finerInterval = interval(permits, nanos, finer);
            double finerError = error(permits, nanos, finer, finerInterval);
            if (finerError > error) {
                ticks = finer;
                interval = finerInterval;
                error = finerError;
            }
        }
        Require.range("burst", burst, 1, MAX_TOLERANCE / interval);
        return new Gcra(ticks, interval, burst, burst * interval);
    }

    static Gcra of(TokenBucketLimit limit) {
        return of(limit.permits(), limit.per(), limit.burst());
    }

    private static BigInteger nanos(Duration per) {
        return BigInteger.valueOf(per.getSeconds()).multiply(NANOS_PER_SECOND).add(BigInteger.valueOf(per.getNano()));
    }

    /** Returns the ticks from one permit to the next, rounded up: a longer interval admits less, never more. */
    private static long interval(long permits, BigInteger nanos, int ticksPerNano) {
        BigInteger[] interval =
                nanos.multiply(BigInteger.valueOf(ticksPerNano)).divideAndRemainder(BigInteger.valueOf(permits));
        return interval[0].longValueExact() + interval[1].signum();
    }

    /**
     * Returns the relative error of the rate: with a requested interval {@code a} and a real one {@code r >= a} it is
     * {@code a / r - 1}.
     */
    private static double error(long permits, BigInteger nanos, long ticksPerNano, long interval) {
        BigInteger asked = nanos.multiply(BigInteger.valueOf(ticksPerNano));
        BigInteger real = BigInteger.valueOf(interval).multiply(BigInteger.valueOf(permits));
        return asked.subtract(real).doubleValue() / real.doubleValue();
    }

    double rateError(long permits, Duration per) {
        return error(permits, nanos(per), ticksPerNano, interval);
    }

    long ticks(long nanos) {
        // A product always would lengthen the one dependency chain that waits for the clock, by about a nanosecond.
        return ticksPerNano == 1 ? nanos : nanos * ticksPerNano;
    }

    /** Returns how far the bucket is from full at a time, in ticks; never negative. */
    static long debt(long tat, long now) {
        long debt = tat - now;
        return debt >>> DEBT_BITS == 0 ? debt : 0;
    }

    /**
     * Returns by how much the debt can be lowered when a permit was not used after all, some ticks after it was taken.
     *
     * <p>With and without the permit the debts differ by one interval at first, and by less whenever the one without it
     * is zero, which the bucket does not remember: as if it had been full and lost what time gave it. But all of such
     * losses together are never more than the time that has passed. So what is left of the interval is surely still a
     * debt, of each of the permits that come back, whatever was taken meanwhile. See ADR 68.
     */
    long credit(long elapsed) {
        return Math.max(0, interval - elapsed);
    }

    /** Returns how many nanoseconds must pass until a debt is smaller by an excess, rounded up. */
    long waitNanos(long excess) {
        return ticksPerNano == 1 ? excess : (excess + ticksPerNano - 1) / ticksPerNano;
    }

    /** Returns how many permits a bucket with a debt still has. */
    long available(long debt) {
        return Math.max(0, tolerance - debt) / interval;
    }
}
