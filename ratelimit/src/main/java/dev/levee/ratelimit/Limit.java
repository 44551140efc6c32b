package dev.levee.ratelimit;

import java.time.Duration;

/**
 * How much a rate limiter admits, and by which algorithm.
 *
 * <pre>{@code
 * Limit.perSecond(100)                        // 100 at once, then one every 10 ms
 * Limit.perSecond(100).burst(200)             // 200 at once, then one every 10 ms
 * Limit.of(5, Duration.ofMinutes(1)).burst(1) // one every 12 s, never two together
 * }</pre>
 *
 * <p>Immutable.
 *
 * @since 0.1
 */
public sealed interface Limit permits TokenBucketLimit {
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
