package dev.levee.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Borrows a connection on which every statement commits by itself, and gives it back as it was. */
final class Connections {
    private static final int TRIES = 5;

    private Connections() {}

    interface Body<R extends @Nullable Object> {
        R run(Connection connection) throws SQLException;
    }

    static <R extends @Nullable Object> R committing(DataSource dataSource, KeyTable table, String what, Body<R> body) {
        for (int attempt = 1; ; attempt++) {
            try {
                return once(dataSource, body);
            } catch (SQLException thrown) {
                if (attempt == TRIES || !isRolledBack(thrown)) {
                    throw new UncheckedSqlException(table.subject() + ": the database failed to " + what, thrown);
                }
            }
        }
    }

    private static <R extends @Nullable Object> R once(DataSource dataSource, Body<R> body) throws SQLException {
        Connection connection = dataSource.getConnection();
        boolean manual = false;
        try {
            manual = !connection.getAutoCommit();
            if (manual) {
                connection.setAutoCommit(true);
            }
            return body.run(connection);
        } finally {
            giveBack(connection, manual, false);
        }
    }

    /**
     * Closes a connection, after its mode is restored if it was changed. Never throws: what was done is committed by
     * now, or has thrown an exception that says more.
     */
    static void giveBack(Connection connection, boolean changed, boolean autoCommit) {
        try (connection) {
            if (changed) {
                connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException | RuntimeException lost) {
            // The pool checks its connections itself.
        }
    }

    /** Rolls back, or ends a connection that cannot, so that nothing commits it later; false then. Never throws. */
    static boolean rollBack(Connection connection) {
        try {
            connection.rollback();
            return true;
        } catch (SQLException | RuntimeException failed) {
            try {
                connection.abort(Runnable::run);
            } catch (SQLException | RuntimeException | AbstractMethodError unsupported) {
                // Then its end is up to the pool.
            }
            return false;
        }
    }

    /**
     * Whether it is a deadlock or a conflict between serializable transactions: nothing was done, and a repeat may
     * succeed.
     */
    private static boolean isRolledBack(SQLException thrown) {
        String state = thrown.getSQLState();
        return state != null && state.startsWith("40");
    }
}
