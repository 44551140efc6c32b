package dev.levee.circuitbreaker;

import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * A {@link CircuitBreaker} refused a call, because it is open, forced open, ramping, or half-open with all probes in
 * flight.
 *
 * <p>The message has the name of the breaker, its state and the reason of the state. All refusals of one open period
 * are the same object, without stack trace: {@link #detached()} returns a private copy. {@link #retryAfterNanos()} is
 * what is left of the open time when it is called, half of {@code Long.MAX_VALUE} if that has no end; it is
 * {@link #UNKNOWN} when calls or a change by hand end the state.
 *
 * @since 0.1
 */
public final class CircuitOpenException extends RefusedException {
    private static final long serialVersionUID = 1L;

    CircuitOpenException(String policy, String message, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
    }

    @Override
    public RefusedException detached() {
        long left = retryAfterNanos();
        return new CircuitOpenException(policy(), String.valueOf(getMessage()), () -> left, false);
    }
}
