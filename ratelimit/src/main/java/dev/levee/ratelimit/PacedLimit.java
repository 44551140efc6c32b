package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * A {@link Limit} that spaces calls: after a call nothing is admitted for as long as its permits take, and a pause
 * saves nothing up.
 *
 * <pre>{@code
 * Limit.paced(10, Duration.ofSeconds(1)); // one every 100 ms, never two together; one of 5 permits holds 500 ms
 * }</pre>
 *
 * <p>Use it to smooth a stream before something that takes bursts badly, with calls that wait; a leaky bucket as a
 * queue. One that must not wait is mostly better off with a small burst of a {@link TokenBucketLimit}: here the second
 * of two calls that come together is refused.
 *
 * <p>Permits of a call may be as many as {@code largest}, and are paid by the call after it. No window of length
 * {@code T}, wherever it starts, admits more than {@code (T + 1 ns) * permits / per} and the permits of one call. The
 * rate has no error: where the time of a permit is no whole number of nanoseconds, it is rounded up, and what was too
 * much is taken off the next one, unless there is a pause between. A refusal is one read; a call that is admitted takes
 * a lock for some arithmetic, and allocates nothing.
 *
 * <p>Immutable.
 *
 * @param permits how many in {@code per}, from 1 to one for each nanosecond of it
 * @param per the time over which they are spread, more than zero, at most 36,600 days
 * @param largest how many permits one call may take, from 1; they may take at most about 146 years
 * @since 0.1
 */
public record PacedLimit(long permits, Duration per, long largest) implements Limit {
    /**
     * Makes a limit with a largest call of its own.
     *
     * @param permits how many in {@code per}
     * @param per the time over which they are spread
     * @param largest how many permits one call may take
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public PacedLimit {
        LimitRange.per(per);
        Require.range("permits", permits, 1, per.toNanos());
        Require.range("largest", largest, 1, Ratio.floor(Meter.NEVER, permits, per.toNanos()));
    }

    /**
     * Returns the same rate with another largest call.
     *
     * @param largest how many permits one call may take, from 1
     * @return the limit
     * @throws IllegalArgumentException if the number is out of its range; the message has the largest
     */
    public PacedLimit largest(long largest) {
        return new PacedLimit(permits, per, largest);
    }

    @Override
    public long capacity() {
        return largest;
    }

    /**
     * Returns the limit in words, such as {@code 10 per 1s, paced, at most 10 at once}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", paced, at most " + largest + " at once";
    }
}
