package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * A {@link Limit} that warms up: spaces calls, three times as wide after a pause as in steady use, and less so from
 * call to call.
 *
 * <pre>{@code
 * Limit.warmUp(100, Duration.ofSeconds(1), Duration.ofMinutes(5)); // 33 a second when cold, 100 after 5 minutes of use
 * }</pre>
 *
 * <p>Use it for what must fill caches, compile code or grow pools before it can bear its full rate, with calls that
 * wait. With {@code s} the time of one permit, a cold one takes {@code coldFactor * s}; from cold it takes
 * {@code warmUp} of full use until one takes {@code s}, and as long a pause until it is cold again. A limiter begins
 * cold. The arithmetic is that of Guava's {@code SmoothWarmingUp} (Kevin Bourrillion and Dimitris Andreou, 2012), which
 * has a cold factor of 3: with 3, {@code warmUp / s} permits take one and a half times {@code warmUp} from cold on.
 *
 * <p>Permits of a call may be as many as {@code largest}, and are paid by the call after it; three permits at once cost
 * as much as three times one. No window of length {@code T}, wherever it starts, admits more than {@code T * permits /
 * per} and the permits of one call. The relative error of times is below 1e-9; a call's time is rounded up to a
 * nanosecond and what was too much is taken off the next one, unless there is a pause between. A call takes a lock for
 * some arithmetic, and allocates nothing.
 *
 * <p>Immutable.
 *
 * @param permits how many in {@code per} when warm, from 1 to one for each nanosecond of it
 * @param per the time over which they are spread, more than zero, at most 36,600 days
 * @param warmUp how long full use takes to warm it up, more than zero, at most 36,600 days
 * @param coldFactor how many times as long a permit takes when it is cold, from 1.01 to 1,000
 * @param largest how many permits one call may take, from 1; they may take at most 73 years when cold
 * @since 0.1
 */
public record WarmUpLimit(long permits, Duration per, Duration warmUp, double coldFactor, long largest)
        implements Limit {
    private static final double MIN_COLD_FACTOR = 1.01;
    private static final double MAX_COLD_FACTOR = 1_000;
    private static final double MAX_NANOS = 0x1p61;

    /**
     * Makes a limit.
     *
     * @param permits how many in {@code per} when warm
     * @param per the time over which they are spread
     * @param warmUp how long full use takes to warm it up
     * @param coldFactor how many times as long a permit takes when it is cold
     * @param largest how many permits one call may take
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public WarmUpLimit {
        LimitRange.per(per);
        Require.range("permits", permits, 1, per.toNanos());
        LimitRange.duration("warmUp", warmUp);
        if (!(coldFactor >= MIN_COLD_FACTOR && coldFactor <= MAX_COLD_FACTOR)) {
            throw new IllegalArgumentException("coldFactor must be from " + MIN_COLD_FACTOR + " to " + MAX_COLD_FACTOR
                    + ", but was " + coldFactor);
        }
        double cold = (double) per.toNanos() / permits * coldFactor;
        if (cold > MAX_NANOS) {
            throw new IllegalArgumentException("per must be at most about 73 years for each permit when cold, but was "
                    + Nanos.text(per) + " for " + permits + " with coldFactor " + coldFactor);
        }
        Require.range("largest", largest, 1, (long) (MAX_NANOS / cold));
    }

    /**
     * Returns the same limit with another cold factor.
     *
     * @param coldFactor how many times as long a permit takes when it is cold, from 1.01 to 1,000
     * @return the limit
     * @throws IllegalArgumentException if the number is out of its range
     */
    public WarmUpLimit coldFactor(double coldFactor) {
        return new WarmUpLimit(permits, per, warmUp, coldFactor, largest);
    }

    /**
     * Returns the same limit with another largest call.
     *
     * @param largest how many permits one call may take, from 1
     * @return the limit
     * @throws IllegalArgumentException if the number is out of its range
     */
    public WarmUpLimit largest(long largest) {
        return new WarmUpLimit(permits, per, warmUp, coldFactor, largest);
    }

    @Override
    public long capacity() {
        return largest;
    }

    /**
     * Returns the limit in words, such as {@code 100 per 1s, warm after 5m, cold factor 3.0, at most 100 at once}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", warm after " + Nanos.text(warmUp) + ", cold factor "
                + coldFactor + ", at most " + largest + " at once";
    }
}
