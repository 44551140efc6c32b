package dev.levee.ratelimit.shared;

import dev.levee.core.RefusedException;
import java.util.function.Supplier;

/**
 * A {@link SharedBulkhead} refused a call: the permits that this process has are in use, or it has none; the message
 * says which. When one will be free is not known, so {@link #retryAfterNanos} is {@link #UNKNOWN}.
 *
 * @since 0.1
 */
public final class SharedBulkheadFullException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** The message as of now; null in a copy. */
    private final transient Supplier<String> present;

    SharedBulkheadFullException(String policy, Supplier<String> present, boolean shared) {
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
        return new SharedBulkheadFullException(policy(), this::getMessage, false);
    }
}
