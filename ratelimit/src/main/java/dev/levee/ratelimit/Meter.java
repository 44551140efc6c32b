package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;

/**
 * The state of a limit that is no token bucket, and the arithmetic on it: what has been taken, and when more can be.
 *
 * <p>Thread-safe. Every method takes the time as an argument, so a meter is also the model that tests compare with. A
 * reading of the time that is older than one that came before it makes a meter stricter, never looser: time that stands
 * still or runs back mints nothing. Numbers of permits are from 1 to the capacity of the limit, but for
 * {@link #charge}.
 *
 * <p>A meter can be {@linkplain #close closed}, once: it then answers {@link #CLOSED} and never changes again, so that
 * what it has counted can be carried over to the meter of another limit. See ADR 87.
 */
interface Meter {
    /** The wait of a call that can never be admitted. */
    long NEVER = Nanos.NEVER;

    /** The answer of a meter that has been closed; the caller asks the one that has taken its place. */
    long CLOSED = -1;

    /**
     * Until how far ahead of a time a mark is in the future. Readings wrap, so they are a circle, of which the quarter
     * that follows now is the future; everything beyond is the past, and a meter may rest for 219 years.
     */
    int FUTURE_BITS = 62;

    /**
     * Makes the meter of a limit, with nothing taken.
     *
     * @param limit not a token bucket
     * @param time maps readings of the monotonic clock to the calendar
     */
    static Meter of(Limit limit, long nowNanos, WallTime time) {
        if (limit instanceof SlidingWindowLimit sliding) {
            return new SlidingWindowMeter(sliding, nowNanos);
        } else if (limit instanceof SlidingLogLimit log) {
            return new SlidingLogMeter(log);
        } else if (limit instanceof FixedWindowLimit fixed) {
            return new FixedWindowMeter(fixed, nowNanos);
        } else if (limit instanceof CalendarLimit calendar) {
            return new CalendarMeter(calendar, time, nowNanos);
        } else if (limit instanceof PacedLimit paced) {
            return new PacedMeter(paced, nowNanos);
        } else if (limit instanceof WarmUpLimit warmUp) {
            return new WarmUpMeter(warmUp, nowNanos);
        }
        throw new IllegalArgumentException("limit has no meter: " + limit);
    }

    /**
     * Takes permits if they are there.
     *
     * @return 0 if they were taken; else in how many nanoseconds they could be, rounded up, from 1; {@link #NEVER} or
     *     {@link #CLOSED}
     */
    long take(long nowNanos, long permits);

    /** Returns what {@link #take} would return, and takes nothing. */
    long waitNanos(long nowNanos, long permits);

    /**
     * Returns what {@link #waitNanos} would return at a time to come, and does not even note that time: what is asked
     * next may be of an earlier one.
     */
    default long lookAhead(long thenNanos, long permits) {
        return waitNanos(thenNanos, permits);
    }

    /**
     * Returns whether permits that are taken now, and not at an earlier time for which they were planned, lie in the
     * same span of time: else what comes after them may have to wait one longer. Asked just after a call now.
     */
    default boolean isSameSpan(long plannedNanos, long nowNanos) {
        return true;
    }

    /** Gives back permits that were taken at a time, as far as they still count. */
    void giveBack(long nowNanos, long takenNanos, long permits);

    /**
     * Gives back permits that were taken or {@linkplain #charge charged} at any time, as far as any count now.
     *
     * @param permits any number from 1
     * @return 0, or {@link #CLOSED}
     */
    long refund(long nowNanos, long permits);

    /**
     * Takes permits whether they are there or not; later calls wait until they are paid.
     *
     * @param permits any number from 0, also more than the capacity
     * @param most how many permits may count as taken afterwards; what is beyond is forgiven
     * @return 0, or {@link #CLOSED}
     */
    long charge(long nowNanos, long permits, long most);

    /** Takes permits as {@link #charge(long, long, long)} does, as far as can be counted. */
    default long charge(long nowNanos, long permits) {
        return charge(nowNanos, permits, Long.MAX_VALUE);
    }

    /** Returns how many permits could be taken now. */
    long available(long nowNanos);

    /** Returns in how many nanoseconds the whole capacity is there if nothing is taken until then. */
    long resetNanos(long nowNanos);

    /** Returns a meter of its own with the same content, open, to play forward what will be taken. */
    Meter copy(long nowNanos);

    /**
     * Closes this meter: what was taken before stays taken, and nothing can be taken after.
     *
     * @return how many permits count as taken, from 0; the same for each call at the same time
     */
    long close(long nowNanos);

    /**
     * Returns how much time has passed since a mark; 0 if the mark is in the future, as one that another thread has set
     * may be. The result is unsigned.
     */
    static long since(long markNanos, long nowNanos) {
        long elapsed = nowNanos - markNanos;
        return elapsed < 0 && -elapsed >>> FUTURE_BITS == 0 ? 0 : elapsed;
    }

    /** Returns whether less than a time has passed since a mark. */
    static boolean isWithin(long nanos, long markNanos, long nowNanos) {
        return Long.compareUnsigned(since(markNanos, nowNanos), nanos) < 0;
    }

    /** Returns how far a mark is ahead; 0 if it is in the past. */
    static long ahead(long markNanos, long nowNanos) {
        long ahead = markNanos - nowNanos;
        return ahead >>> FUTURE_BITS == 0 ? ahead : 0;
    }
}
