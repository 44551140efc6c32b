package dev.levee.ratelimit;

/**
 * A private copy of the state of a limiter, in which calls that wait are planned one after the other. Not thread-safe;
 * what is taken from it is taken from nothing else.
 */
interface Forecast {
    /**
     * Returns when permits can be taken at the earliest, as a reading of the clock that is not before another one.
     *
     * @param fromNanos the earliest reading that counts, not before the one of the last {@link #take}
     * @param permits from 1 to the capacity
     * @return a wait from that reading on in nanoseconds, rounded up; 0 for at once, {@link RateLimiter#NEVER} for
     *     never
     */
    long earliest(long fromNanos, long permits);

    /**
     * Takes permits at a time at which {@link #earliest} is 0.
     *
     * @param atNanos the reading of the clock, not before that of the last one
     * @param permits how many
     */
    void take(long atNanos, long permits);
}
