package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.time.Duration;

/**
 * A {@link Limit} by token bucket: one that holds {@code burst} permits, starts full and refills evenly.
 *
 * <pre>{@code
 * Limit.perSecond(100)                       // 100 at once, then one every 10 ms
 * Limit.perSecond(100).burst(200)            // 200 at once, then one every 10 ms
 * Limit.of(5, Duration.ofMinutes(1)).burst(1) // one every 12 s, never two together
 * }</pre>
 *
 * <p>No window of length {@code T}, wherever it starts, admits more than {@code burst + T * permits / per}. Permits
 * come back one by one, not all at the turn of a period; for quotas by calendar this is the wrong limit. Only the ratio
 * of {@code permits} to {@code per} sets the rate; {@code per} is no window.
 *
 * <p>The rate is exact for all rates whose lowest terms, in nanoseconds, have a numerator up to 2^20, such as all whole
 * numbers up to 1,000,000 per second, minute or hour; otherwise it is slower by less than one part in 10^18. Nothing is
 * admitted a nanosecond early.
 *
 * <p>Immutable.
 *
 * @param permits how many permits come back in {@code per}, from 1 to 64 for each nanosecond of it
 * @param per the time in which they come back, more than zero, and at most about 146 years for each permit
 * @param burst how many permits can be taken at once, from 1; filling the empty bucket may take at most about 146 years
 * @since 0.1
 */
public record TokenBucketLimit(long permits, Duration per, long burst) implements Limit {
    /**
     * Makes a limit with a burst of its own.
     *
     * @param permits how many permits come back in {@code per}
     * @param per the time in which they come back
     * @param burst how many permits can be taken at once
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public TokenBucketLimit {
        Gcra.of(permits, per, burst);
    }

    /**
     * Returns the same rate with another burst.
     *
     * @param burst how many permits can be taken at once, from 1
     * @return the limit
     * @throws IllegalArgumentException if the number is out of its range; the message has the largest
     */
    public TokenBucketLimit burst(long burst) {
        return new TokenBucketLimit(permits, per, burst);
    }

    @Override
    public long capacity() {
        return burst;
    }

    /**
     * Returns the limit in words, such as {@code 100 per 1s, burst 200}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", burst " + burst;
    }
}
