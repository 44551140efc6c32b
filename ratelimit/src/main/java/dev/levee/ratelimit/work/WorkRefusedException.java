package dev.levee.ratelimit.work;

import dev.levee.core.RefusedException;
import dev.levee.core.internal.Require;
import java.util.function.LongSupplier;

/**
 * A {@link WorkQueue} did not accept an item; {@link #reason} tells why, and {@link #retryAfterNanos} when to come
 * back.
 *
 * @since 0.1
 */
public final class WorkRefusedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    private final Reason reason;

    /**
     * Why an item was not accepted.
     *
     * @since 0.1
     */
    public enum Reason {
        /**
         * As many items as the capacity are accepted and have not ended. {@link #retryAfterNanos} is about the time in
         * which a place has come free lately, or unknown.
         */
        FULL,
        /**
         * The queue is full, the caller would handle the item itself, and earlier items of its key have not ended.
         * {@link #retryAfterNanos} is as for {@link #FULL}.
         */
        KEY_BUSY,
        /** The queue was closed. {@link #retryAfterNanos} is {@code OutcomeRule.DO_NOT_RETRY}. */
        CLOSED
    }

    WorkRefusedException(String queue, Reason reason, String message, LongSupplier retryAfter, boolean shared) {
        super(queue, message, retryAfter, shared);
        this.reason = Require.nonNull("reason", reason);
    }

    /**
     * Returns why the item was not accepted.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    @Override
    public RefusedException detached() {
        long fixed = retryAfterNanos();
        return new WorkRefusedException(policy(), reason, String.valueOf(getMessage()), () -> fixed, false);
    }
}
