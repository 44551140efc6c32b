package dev.levee.core.idempotency;

import dev.levee.core.RefusedException;
import dev.levee.core.internal.Text;
import org.jspecify.annotations.Nullable;

/**
 * An {@link Idempotency} refused a call: it can neither run the operation for a key now nor say how it ended.
 *
 * @since 0.1
 */
public final class IdempotencyRefusedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** Why a call was refused. */
    public enum Reason {
        /** Another call runs the operation for this key, and this one may not wait, or not longer. */
        IN_PROGRESS,
        /**
         * It is not known whether the operation was done: no check is configured, or it could not find out. Also thrown
         * to a caller whose own operation ended after its lease, when another caller had taken over: a repeat gets what
         * is recorded.
         */
        UNKNOWN_OUTCOME,
        /** The store has no room for one more key. */
        STORE_FULL
    }

    /** Why the call was refused. */
    private final Reason reason;

    /** What the check threw. */
    private final @Nullable Throwable cause;

    /**
     * Makes a refusal; for implementations of idempotency outside of this package.
     *
     * @param policy the name of the policy
     * @param key the key
     * @param reason why
     * @param explanation the end of the message, for a human reader
     * @param hint in how many nanoseconds a repeat may be of use, {@link dev.levee.core.OutcomeRule#DO_NOT_RETRY}, or
     *     {@link #UNKNOWN}
     * @param cause what kept the outcome from being known, or null
     */
    public IdempotencyRefusedException(
            String policy, String key, Reason reason, String explanation, long hint, @Nullable Throwable cause) {
        super(
                policy,
                StoredIdempotency.subject(policy) + ", key \"" + Text.printable(key) + "\": " + explanation,
                () -> hint,
                false);
        this.reason = reason;
        this.cause = cause;
    }

    private IdempotencyRefusedException(IdempotencyRefusedException original, long hint) {
        super(original.policy(), String.valueOf(original.getMessage()), () -> hint, false);
        this.reason = original.reason;
        this.cause = original.cause;
    }

    /**
     * Returns why the call was refused.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    /**
     * Returns what kept the outcome from being known.
     *
     * @return what the check threw, or null
     */
    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it never changes
    public @Nullable Throwable getCause() {
        return cause;
    }

    @Override
    public RefusedException detached() {
        return new IdempotencyRefusedException(this, retryAfterNanos());
    }

    /**
     * Returns whether the operation may have run: also true for an outcome that is unknown.
     *
     * @return false if nothing has run on behalf of the call, and nothing that is not known on behalf of its key
     */
    @Override
    public boolean mayHaveRun() {
        return reason == Reason.UNKNOWN_OUTCOME || super.mayHaveRun();
    }
}
