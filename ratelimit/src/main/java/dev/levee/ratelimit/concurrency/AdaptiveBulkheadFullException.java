package dev.levee.ratelimit.concurrency;

import dev.levee.core.RefusedException;
import java.util.function.Supplier;

/**
 * An {@link AdaptiveBulkhead} refused a call, because as many calls as it allows at present are in flight. When one of
 * them ends is not known, so {@link #retryAfterNanos} is {@link #UNKNOWN}.
 *
 * @since 0.1
 */
public final class AdaptiveBulkheadFullException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** The message as of now; null in a copy. */
    private final transient Supplier<String> present;

    AdaptiveBulkheadFullException(String policy, Supplier<String> present, boolean shared) {
        super(policy, shared ? "" : present.get(), () -> UNKNOWN, shared);
        this.present = present;
    }

    @Override
    public String getMessage() {
        String fixed = String.valueOf(super.getMessage());
        return fixed.isEmpty() && present != null ? present.get() : fixed;
    }

    @Override
    public RefusedException detached() {
        return new AdaptiveBulkheadFullException(policy(), this::getMessage, false);
    }
}
