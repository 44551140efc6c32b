package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.time.Duration;

/**
 * A {@link Limit} by sliding window: counts permits by windows, and looks at the last window in proportion to how much
 * of it still lies within one window before now.
 *
 * <pre>{@code
 * Limit.slidingWindow(50, Duration.ofMinutes(1));
 * // last minute 42, this minute 18, of which 15 s have passed: 42 * 45/60 + 18 = 49.5, so one more is refused
 * }</pre>
 *
 * <p>{@code n} permits are there if {@code previous * (1 - elapsed / per) + current + n <= permits}, computed without
 * rounding. Use it for "so many a minute" at any size of the numbers, where a {@link FixedWindowLimit} would let twice
 * as many through at the turn of a window. Not where calls should be spread evenly, that is the
 * {@link TokenBucketLimit}; nor where a window must never have more than its permits, that is the
 * {@link SlidingLogLimit}.
 *
 * <p>No window of length {@code T}, wherever it starts, admits more than {@code permits + T * permits / per}; no window
 * that is counted, one after the other from the first call on, more than {@code permits}. So a window of length
 * {@code per} has less than twice the permits, and that only if all of those of the window before it came at its end:
 * the estimate takes them as spread evenly. The rate has no error.
 *
 * <p>Source: Julien Desgats, "How we built rate limiting capable of scaling to millions of domains", Cloudflare, 2017.
 * Immutable.
 *
 * @param permits how many in a window, from 1 to 2^62
 * @param per the length of the window, more than zero, at most 36,600 days
 * @since 0.1
 */
public record SlidingWindowLimit(long permits, Duration per) implements Limit {
    /**
     * Makes a limit.
     *
     * @param permits how many in a window
     * @param per the length of the window
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public SlidingWindowLimit {
        LimitRange.permits(permits);
        LimitRange.per(per);
    }

    @Override
    public long capacity() {
        return permits;
    }

    /**
     * Returns the limit in words, such as {@code 50 per 1m, sliding window}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", sliding window";
    }
}
