package dev.levee.ratelimit;

import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * A {@link RateLimiter} refused a call, because its permits are used up; {@link #retryAfterNanos} returns how long it
 * is until the next one comes back, or those that the call has asked for; {@link RateLimiter#NEVER} if they never do.
 *
 * @since 0.1
 */
public final class RateLimitedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    RateLimitedException(String policy, String message, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
    }

    /**
     * Makes a refusal, for authors of limiters.
     *
     * @param policy the name of the limiter
     * @param message the text for logs, which begins with kind and quoted name of the limiter
     * @param retryAfter returns in how many nanoseconds the permits would be there
     * @param shared whether many callers get this object; such a one cannot carry suppressed exceptions
     * @return the refusal
     * @throws NullPointerException if {@code policy} or {@code retryAfter} is null
     */
    public static RateLimitedException of(String policy, String message, LongSupplier retryAfter, boolean shared) {
        return new RateLimitedException(policy, message, retryAfter, shared);
    }

    @Override
    public RefusedException detached() {
        long fixed = retryAfterNanos();
        return new RateLimitedException(policy(), String.valueOf(getMessage()), () -> fixed, false);
    }
}
