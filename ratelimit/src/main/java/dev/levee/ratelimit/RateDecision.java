package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * What a {@link RateLimiter} has decided about a call, with what a caller wants to know of its limit: for headers of a
 * response, and for logs. Immutable.
 *
 * @param isAdmitted whether the permits were taken
 * @param limiter the name of the limiter; of several limits that are taken together, of the one that refused
 * @param limit its limit
 * @param remaining how many permits can be taken after this call, from 0
 * @param retryAfterNanos 0 if the call was admitted; else in how many nanoseconds it could be if no other call takes
 *     the permits, rounded up; {@link RateLimiter#NEVER} if they are more than the capacity
 * @param resetNanos in how many nanoseconds all permits will be there again if no call takes any, rounded up
 * @since 0.1
 */
public record RateDecision(
        boolean isAdmitted, String limiter, Limit limit, long remaining, long retryAfterNanos, long resetNanos) {
    private static final long NANOS_PER_SECOND = Duration.ofSeconds(1).toNanos();

    /**
     * Makes a decision.
     *
     * @param isAdmitted whether the permits were taken
     * @param limiter the name of the limiter; of several limits that are taken together, of the one that refused
     * @param limit its limit
     * @param remaining how many permits can be taken after this call, from 0
     * @param retryAfterNanos 0 if the call was admitted; else in how many nanoseconds it could be if no other call
     *     takes the permits, rounded up; {@link RateLimiter#NEVER} if they are more than the capacity
     * @param resetNanos in how many nanoseconds all permits will be there again if no call takes any, rounded up
     * @throws NullPointerException if the name or the limit is null
     * @throws IllegalArgumentException if a number is negative, or an admitted call has to wait
     */
    public RateDecision {
        Require.nonNull("limiter", limiter);
        Require.nonNull("limit", limit);
        Require.range("remaining", remaining, 0, Long.MAX_VALUE);
        Require.range("retryAfterNanos", retryAfterNanos, isAdmitted ? 0 : 1, isAdmitted ? 0 : RateLimiter.NEVER);
        Require.range("resetNanos", resetNanos, 0, RateLimiter.NEVER);
    }

    /**
     * Returns {@link #retryAfterNanos} in whole seconds, rounded up, as for {@code Retry-After}.
     *
     * @return 0 if the call was admitted, else from 1; {@code Long.MAX_VALUE} for never
     */
    public long retryAfterSeconds() {
        return retryAfterNanos >= RateLimiter.NEVER ? Long.MAX_VALUE : secondsUp(retryAfterNanos);
    }

    /**
     * Returns {@link #resetNanos} in whole seconds, rounded up.
     *
     * @return from 0
     */
    public long resetSeconds() {
        return secondsUp(resetNanos);
    }

    private static long secondsUp(long nanos) {
        return nanos / NANOS_PER_SECOND + (nanos % NANOS_PER_SECOND == 0 ? 0 : 1);
    }
}
