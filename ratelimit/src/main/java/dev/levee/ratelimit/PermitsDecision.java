package dev.levee.ratelimit;

import dev.levee.core.internal.Require;

/**
 * What several limiters have decided about one call, see {@link Permits}. Immutable.
 *
 * @param isAdmitted whether all permits were taken
 * @param limiter the name of the limiter that refused, of several the one with the longest wait; empty if the call was
 *     admitted
 * @param retryAfterNanos 0 if the call was admitted; else in how many nanoseconds it could be if no other call takes
 *     the permits, rounded up; {@link RateLimiter#NEVER} if they are more than a limiter ever has
 * @since 0.1
 */
public record PermitsDecision(boolean isAdmitted, String limiter, long retryAfterNanos) {
    /**
     * Makes a decision.
     *
     * @param isAdmitted whether all permits were taken
     * @param limiter the name of the limiter that refused, of several the one with the longest wait; empty if the call
     *     was admitted
     * @param retryAfterNanos 0 if the call was admitted; else in how many nanoseconds it could be if no other call
     *     takes the permits, rounded up; {@link RateLimiter#NEVER} if they are more than a limiter ever has
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the time is negative, or an admitted call has to wait
     */
    public PermitsDecision {
        Require.nonNull("limiter", limiter);
        Require.range("retryAfterNanos", retryAfterNanos, isAdmitted ? 0 : 1, isAdmitted ? 0 : RateLimiter.NEVER);
    }
}
