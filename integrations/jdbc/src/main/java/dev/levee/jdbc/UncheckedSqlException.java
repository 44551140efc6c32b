package dev.levee.jdbc;

import java.sql.SQLException;

/**
 * The database of a store failed. Carries the {@link SQLException} as its cause.
 *
 * @since 0.1
 */
public final class UncheckedSqlException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UncheckedSqlException(String what, SQLException cause) {
        super(what, cause);
    }
}
