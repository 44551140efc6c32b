package dev.levee.core.policy;

import dev.levee.core.RefusedException;

/**
 * Thrown when as many calls as a {@link Bulkhead} allows are in flight, and the call may not wait, or not any longer,
 * or would have too little time left after that; the message says which.
 *
 * @since 0.1
 */
public final class BulkheadFullException extends RefusedException {
    private static final long serialVersionUID = 1L;

    BulkheadFullException(String policy, String message, boolean shared) {
        super(policy, message, () -> UNKNOWN, shared);
    }

    @Override
    public RefusedException detached() {
        return new BulkheadFullException(policy(), String.valueOf(getMessage()), false);
    }
}
