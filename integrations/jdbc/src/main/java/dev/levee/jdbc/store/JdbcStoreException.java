package dev.levee.jdbc.store;

import dev.levee.core.internal.Text;
import java.net.ConnectException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * A {@link JdbcStore} failed.
 *
 * <p>Has the state and code of the exception of the database, which is its cause. Where there was no connection, or it
 * was lost before anything could be committed, a {@link ConnectException} stands in between, by which
 * {@link dev.levee.core.OutcomeRule#standard()} knows that nothing was sent.
 *
 * @since 0.1
 */
public class JdbcStoreException extends SQLException {
    private static final long serialVersionUID = 1L;

    /** Whether the table may have been changed. */
    private final boolean mayHaveWritten;

    JdbcStoreException(String subject, String what, SQLException cause, boolean mayHaveWritten) {
        super(text(subject, what, cause), cause.getSQLState(), cause.getErrorCode(), cause);
        this.mayHaveWritten = mayHaveWritten;
    }

    JdbcStoreException(String subject, String what, SQLException cause, ConnectException notSent) {
        super(text(subject, what, cause), cause.getSQLState(), cause.getErrorCode(), notSent);
        mayHaveWritten = false;
    }

    JdbcStoreException(String message, @Nullable String state) {
        super(message, state);
        mayHaveWritten = false;
    }

    private static String text(String subject, String what, SQLException cause) {
        return subject + ": " + what + ": " + Text.printable(cause.getMessage());
    }

    /** Makes the failure of a call that has surely changed nothing, because it did not reach the database. */
    static JdbcStoreException notSent(String subject, String what, SQLException cause) {
        ConnectException notSent = new ConnectException("no connection, or lost before anything was committed");
        notSent.initCause(cause);
        return new JdbcStoreException(subject, what, cause, notSent);
    }

    /**
     * Returns whether the table may have been changed by a write that failed.
     *
     * @return false if nothing was written for certain, and for reads
     */
    public boolean mayHaveWritten() {
        return mayHaveWritten;
    }
}
