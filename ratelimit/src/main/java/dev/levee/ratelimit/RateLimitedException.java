package dev.levee.ratelimit;

import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * A {@link RateLimiter} refused a call, because its permits are used up; {@link #retryAfterNanos} returns when the next
 * one comes back.
 *
 * <p>Provisional: names may change.
 *
 * @since 0.1
 */
public final class RateLimitedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    RateLimitedException(String policy, String message, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
    }

    @Override
    public RefusedException detached() {
        long fixed = retryAfterNanos();
        return new RateLimitedException(policy(), String.valueOf(getMessage()), () -> fixed, false);
    }
}
