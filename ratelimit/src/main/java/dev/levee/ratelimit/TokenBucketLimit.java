package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Locale;

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
 * <p>Time is counted in whole nanoseconds, or in fractions down to a 64th of one where the time between two permits is
 * short and not a whole number. What is left over is rounded so that less is admitted than requested, never more:
 * {@link #rateError} returns how much, and {@link #toString} prints it unless it is 0. It is less than one part in a
 * million up to 1000 permits a second, in 64,000 up to a million, in 64 up to a thousand million, and in 32 beyond; and
 * less than one in a million at any rate if the time between two permits is a multiple of such a fraction, as it is for
 * 300 million a second.
 *
 * <p>Immutable.
 *
 * @param permits how many permits come back in {@code per}, from 1 to 64 for each nanosecond of it
 * @param per the time in which they come back, more than zero, and at most about 73 years for each permit
 * @param burst how many permits can be taken at once, from 1; filling the empty bucket may take at most about 73 years,
 *     and a little more than one where time is counted in a 64th of a nanosecond
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
     * Returns by how much the rate differs from the requested one, because time is counted in ticks.
     *
     * @return the relative error: 0 if the rate is exact, else negative, such as -0.001 for one part in a thousand less
     * @throws NullPointerException if an argument is null
     */
    public double rateError() {
        return Gcra.of(permits, per, burst).rateError(permits, Require.nonNull("per", per));
    }

    /**
     * Returns the limit in words, such as {@code 100 per 1s, burst 200}; if the rate is not exact, with its error.
     *
     * @return the words
     */
    @Override
    public String toString() {
        double error = rateError();
        return permits + " per " + Nanos.text(per) + ", burst " + burst
                + (error == 0 ? "" : String.format(Locale.ROOT, ", rate error %.1e", error));
    }
}
