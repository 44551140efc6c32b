package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * A {@link Limit} by sliding log: remembers when permits were taken, and admits only what no window can hold against
 * it.
 *
 * <pre>{@code
 * Limit.slidingLog(5, Duration.ofMinutes(1)); // never more than 5 within a minute, whichever minute
 * }</pre>
 *
 * <p>Use it where the other side counts exactly, or where the numbers are small and each call is dear: five attempts to
 * log in, three reports an hour. For larger numbers a {@link SlidingWindowLimit} is nearly as good and remembers two
 * numbers only.
 *
 * <p>No window of length {@code per}, wherever it starts, admits more than {@code permits}; a permit is there again
 * exactly {@code per} after it was taken. It remembers at most one time for each permit, in 16 bytes, and less while
 * fewer are used. A call takes a lock for some reads and writes, and allocates nothing but the room for those times
 * while it grows. The rate has no error.
 *
 * <p>Immutable.
 *
 * @param permits how many in any window, from 1 to 1,048,576
 * @param per the length of the window, more than zero, at most 36,600 days
 * @since 0.1
 */
public record SlidingLogLimit(long permits, Duration per) implements Limit {
    private static final long MAX_PERMITS = 1L << 20;

    /**
     * Makes a limit.
     *
     * @param permits how many in any window
     * @param per the length of the window
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public SlidingLogLimit {
        Require.range("permits", permits, 1, MAX_PERMITS);
        LimitRange.per(per);
    }

    @Override
    public long capacity() {
        return permits;
    }

    /**
     * Returns the limit in words, such as {@code 5 per 1m, sliding log}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", sliding log";
    }
}
