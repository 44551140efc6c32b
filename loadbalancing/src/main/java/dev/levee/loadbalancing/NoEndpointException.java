package dev.levee.loadbalancing;

import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * Thrown if a balancer has no endpoint for a call: it knows none, health has left all of them out, or the gate of every
 * one refused.
 *
 * <p>{@link #retryAfterNanos} is the shortest wait that any of the gates gives. The object may be shared by many calls.
 *
 * @since 0.1
 */
public final class NoEndpointException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** Why there was none. */
    private final Reason reason;

    /**
     * Why there was no endpoint.
     *
     * @since 0.1
     */
    public enum Reason {
        /** The balancer knows no endpoint. */
        NO_ENDPOINTS,
        /** Health has left all of them out, and calls are refused then by configuration. */
        UNHEALTHY,
        /** The gate of every endpoint that may be used refused. */
        REFUSED_BY_GATES
    }

    NoEndpointException(String policy, Reason reason, String message, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
        this.reason = reason;
    }

    /**
     * Returns why there was no endpoint.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    @Override
    public RefusedException detached() {
        long wait = retryAfterNanos();
        return new NoEndpointException(policy(), reason, String.valueOf(getMessage()), () -> wait, false);
    }
}
