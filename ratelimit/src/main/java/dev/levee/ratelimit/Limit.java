package dev.levee.ratelimit;

import java.time.Duration;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;

/**
 * How much a rate limiter admits, and by which algorithm.
 *
 * <pre>{@code
 * Limit.perSecond(100)                        // 100 at once, then one every 10 ms
 * Limit.perSecond(100).burst(200)             // 200 at once, then one every 10 ms
 * Limit.of(5, Duration.ofMinutes(1)).burst(1) // one every 12 s, never two together
 * Limit.slidingWindow(50, Duration.ofMinutes(1))                   // about 50 in any minute
 * Limit.slidingLog(5, Duration.ofMinutes(1))                       // never more than 5 in any minute
 * Limit.fixedWindow(1_000, Duration.ofMinutes(1))                  // a new 1,000 each minute
 * Limit.calendar(10_000, ChronoUnit.DAYS, ZoneId.of("Asia/Tokyo")) // a new 10,000 at midnight
 * Limit.paced(10, Duration.ofSeconds(1))                           // one every 100 ms
 * Limit.warmUp(100, Duration.ofSeconds(1), Duration.ofMinutes(5))  // 33 a second at first
 * }</pre>
 *
 * <p>The first three are token buckets, the ones to begin with.
 *
 * <p>Immutable.
 *
 * @since 0.1
 */
public sealed interface Limit
        permits TokenBucketLimit,
                SlidingWindowLimit,
                SlidingLogLimit,
                FixedWindowLimit,
                CalendarLimit,
                PacedLimit,
                WarmUpLimit {
    /**
     * Makes a limit of a number of permits per second, of which as many can be taken at once.
     *
     * @param permits from 1 to 64,000,000,000
     * @return the limit; see {@link TokenBucketLimit#burst} to allow more or fewer at once
     * @throws IllegalArgumentException if the number is out of its range
     */
    static TokenBucketLimit perSecond(long permits) {
        return of(permits, Duration.ofSeconds(1));
    }

    /**
     * Makes a limit of a number of permits in a time, of which as many can be taken at once.
     *
     * @param permits from 1 to 64 for each nanosecond
     * @param per more than zero, at most about 146 years for each permit
     * @return the limit; see {@link TokenBucketLimit#burst} to allow more or fewer at once
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static TokenBucketLimit of(long permits, Duration per) {
        return new TokenBucketLimit(permits, per, permits);
    }

    /**
     * Makes a limit of a number of permits in a window that slides, by counts of two windows.
     *
     * @param permits from 1 to 2^62
     * @param per the length of the window, more than zero, at most 36,600 days
     * @return the limit
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static SlidingWindowLimit slidingWindow(long permits, Duration per) {
        return new SlidingWindowLimit(permits, per);
    }

    /**
     * Makes a limit of a number of permits that no window exceeds, by a log of times.
     *
     * @param permits from 1 to 1,048,576
     * @param per the length of the window, more than zero, at most 36,600 days
     * @return the limit
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static SlidingLogLimit slidingLog(long permits, Duration per) {
        return new SlidingLogLimit(permits, per);
    }

    /**
     * Makes a limit of a number of permits in each window; the first one begins when the limiter is made.
     *
     * @param permits from 1 to one for each nanosecond of the window
     * @param per the length of the window, more than zero, at most 36,600 days
     * @return the limit
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static FixedWindowLimit fixedWindow(long permits, Duration per) {
        return new FixedWindowLimit(permits, per);
    }

    /**
     * Makes a limit of a number of permits in each period of the calendar.
     *
     * @param permits from 1 to 2^62
     * @param unit {@code MINUTES}, {@code HOURS}, {@code DAYS}, {@code WEEKS} or {@code MONTHS}
     * @param zone the time zone
     * @return the limit
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static CalendarLimit calendar(long permits, ChronoUnit unit, ZoneId zone) {
        return new CalendarLimit(permits, unit, zone);
    }

    /**
     * Makes a limit that spaces permits evenly, with no burst; one call may take as many as there are in the time.
     *
     * @param permits from 1 to one for each nanosecond
     * @param per more than zero, at most 36,600 days
     * @return the limit; see {@link PacedLimit#largest} to let one call take more or fewer
     * @throws NullPointerException if {@code per} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static PacedLimit paced(long permits, Duration per) {
        return new PacedLimit(permits, per, permits);
    }

    /**
     * Makes a limit that spaces permits evenly once it is warm, and three times as wide when it is cold; one call may
     * take as many as there are in the time.
     *
     * @param permits when warm, from 1 to one for each nanosecond
     * @param per more than zero, at most 36,600 days
     * @param warmUp how long full use takes to warm it up, more than zero, at most 36,600 days
     * @return the limit; see {@link WarmUpLimit#coldFactor} and {@link WarmUpLimit#largest}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    static WarmUpLimit warmUp(long permits, Duration per, Duration warmUp) {
        return new WarmUpLimit(permits, per, warmUp, 3, permits);
    }

    /**
     * Returns how many permits there are in a period.
     *
     * @return from 1
     */
    long permits();

    /**
     * Returns the period.
     *
     * @return more than zero
     */
    Duration per();

    /**
     * Returns how many permits can be taken at once at most.
     *
     * @return from 1
     */
    long capacity();
}
