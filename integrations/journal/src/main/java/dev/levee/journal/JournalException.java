package dev.levee.journal;

import dev.levee.core.internal.Require;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A journal that cannot be opened, or that has failed and refuses everything since; the message names the journal and
 * the file, and says why.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class JournalException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Why.
     *
     * @since 0.1
     */
    public enum Reason {
        /** Another process, or this one, has the folder open. */
        LOCKED,
        /** The folder or a file in it may not be written. */
        READ_ONLY,
        /** A file that has the name of a segment is none. */
        FOREIGN,
        /** A segment was written by a later version of this library. */
        NEWER_VERSION,
        /** Bytes that were acknowledged have changed, or a segment is missing, or a codec cannot read what it wrote. */
        DAMAGED,
        /** The operating system could not read, write or force: a full disk, a broken device. */
        FAILED,
        /** The journal was closed before. */
        CLOSED
    }

    /** Why. */
    private final Reason reason;

    /**
     * Makes an exception.
     *
     * @param reason why
     * @param message what is wrong, and with which journal and file
     * @param cause what was thrown below, or null
     * @throws NullPointerException if reason or message is null
     */
    public JournalException(Reason reason, String message, @Nullable Throwable cause) {
        super(Require.nonNull("message", message), cause);
        this.reason = Require.nonNull("reason", reason);
    }

    /**
     * Returns why.
     *
     * @return the reason
     */
    public Reason reason() {
        return reason;
    }
}
