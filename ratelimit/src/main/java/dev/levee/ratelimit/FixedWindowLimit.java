package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * A {@link Limit} by fixed windows: a number of permits in each window, all of them there again at its turn.
 *
 * <pre>{@code
 * Limit.fixedWindow(1_000, Duration.ofMinutes(1)); // a new 1,000 each minute, counted from when the limiter was made
 * }</pre>
 *
 * <p>Use it for a quota that the other side counts in the same way. Its windows begin when the limiter is made; for
 * those of the calendar there is the {@link CalendarLimit}. Not to protect something from load: at the turn of a window
 * twice the permits can be taken at once. A {@link SlidingWindowLimit} costs the same and does not have that.
 *
 * <p>No window of length {@code T}, wherever it starts, admits more than {@code 2 * permits + T * permits / per}; none
 * that is counted more than {@code permits}. The rate has no error. A call whose reading of the clock is from before a
 * turn, but which comes after a call that has read it later, is refused with the time to the turn.
 *
 * <p>Immutable.
 *
 * @param permits how many in a window, from 1 to one for each nanosecond of it
 * @param per the length of the window, more than zero, at most 36,600 days
 * @since 0.1
 */
public record FixedWindowLimit(long permits, Duration per) implements Limit {
    /**
     * Makes a limit.
     *
     * @param permits how many in a window
     * @param per the length of the window
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public FixedWindowLimit {
        LimitRange.per(per);
        Require.range("permits", permits, 1, per.toNanos());
    }

    @Override
    public long capacity() {
        return permits;
    }

    /**
     * Returns the limit in words, such as {@code 1000 per 1m, fixed window}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        return permits + " per " + Nanos.text(per) + ", fixed window";
    }
}
