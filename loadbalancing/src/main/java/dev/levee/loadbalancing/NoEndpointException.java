package dev.levee.loadbalancing;

import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * A balancer found no endpoint for a call: it knows none, or the gate of every one refused. Provisional.
 *
 * <p>{@link #retryAfterNanos} is the shortest wait that any of the gates gives. The object may be shared by many callers.
 *
 * @since 0.1
 */
public final class NoEndpointException extends RefusedException {
    private static final long serialVersionUID = 1L;

    NoEndpointException(String policy, String message, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
    }

    @Override
    public RefusedException detached() {
        long wait = retryAfterNanos();
        return new NoEndpointException(policy(), String.valueOf(getMessage()), () -> wait, false);
    }
}
