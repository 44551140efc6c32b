package dev.levee.jdbc;

import dev.levee.core.RefusedException;
import java.sql.SQLTransientConnectionException;

/** A refusal, as code on JDBC expects it. Without a stack trace, because a refusal must cost less than an admission. */
final class RefusedSqlException extends SQLTransientConnectionException {
    private static final long serialVersionUID = 1L;

    RefusedSqlException(String message, RefusedException cause) {
        super(message, cause);
    }

    @Override
    public Throwable fillInStackTrace() { // not synchronized: there is nothing to fill in
        return this;
    }
}
