package dev.levee.cache.writebehind;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import org.jspecify.annotations.Nullable;

/**
 * A {@link WriteBehind} did not accept a write; {@link #reason} tells why.
 *
 * <p>The store does not get the write, unless {@link #mayHaveRun} says that this is not known: the journal failed while
 * it kept the write, or the write-behind was closed meanwhile. The write may come back then when the journal is opened
 * again.
 *
 * @since 0.1
 */
public final class WriteRefusedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** Why. */
    private final Reason reason;

    /** What the journal threw, or null. */
    private final @Nullable Throwable cause;

    /**
     * Why a write was not accepted.
     *
     * @since 0.1
     */
    public enum Reason {
        /** There is no room, and none came free in time. */
        FULL,
        /** A dead letter of the key is to be replayed or discarded first, see {@link DeadKey#BLOCK}. */
        KEY_BLOCKED,
        /** The journal has failed, so what is accepted could not be kept; the failure is the cause. */
        JOURNAL,
        /** The write-behind is closed. */
        CLOSED
    }

    private WriteRefusedException(String name, Reason reason, String message, @Nullable Throwable cause) {
        super(
                name,
                message,
                () -> reason == Reason.CLOSED || reason == Reason.JOURNAL ? OutcomeRule.DO_NOT_RETRY : UNKNOWN,
                false);
        this.reason = Require.nonNull("reason", reason);
        this.cause = cause;
    }

    static WriteRefusedException of(String name, Reason reason, @Nullable Throwable cause) {
        return new WriteRefusedException(name, reason, label(name) + ' ' + text(reason, cause), cause);
    }

    static String label(String name) {
        return "write-behind \"" + name + "\"";
    }

    private static String text(Reason reason, @Nullable Throwable cause) {
        return switch (reason) {
            case FULL -> "refused a write: it is full";
            case KEY_BLOCKED -> "refused a write: a dead letter of its key is to be replayed or discarded first";
            case CLOSED -> "refused a write: it is closed";
            case JOURNAL -> "refused a write: its journal has failed: " + Text.printable(describe(cause));
        };
    }

    /** The methods of an exception are code of the user. */
    static String describe(@Nullable Throwable thrown) {
        try {
            return String.valueOf(thrown);
        } catch (Throwable unprintable) {
            return thrown == null ? "null" : thrown.getClass().getName();
        }
    }

    /**
     * Returns why the write was not accepted.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }

    /**
     * Returns what the journal threw.
     *
     * @return the failure, for {@link Reason#JOURNAL}; else null
     */
    @Override
    public @Nullable Throwable getCause() {
        return cause;
    }

    @Override
    public RefusedException detached() {
        return new WriteRefusedException(policy(), reason, String.valueOf(getMessage()), cause);
    }
}
