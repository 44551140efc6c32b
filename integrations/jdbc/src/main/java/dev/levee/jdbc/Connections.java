package dev.levee.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Borrows a connection whose every statement commits by itself, and gives it back as it was. */
final class Connections {
    private static final int TRIES = 5;

    private Connections() {}

    interface Body<R extends @Nullable Object> {
        R run(Connection connection) throws SQLException;
    }

    static <R extends @Nullable Object> R committing(DataSource dataSource, String what, Body<R> body) {
        for (int attempt = 1; ; attempt++) {
            try {
                return once(dataSource, body);
            } catch (SQLException thrown) {
                if (attempt == TRIES || !isRolledBack(thrown)) {
                    throw new UncheckedSqlException("The database failed to " + what, thrown);
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
     * Closes a connection, if need be after it has its mode again. Never throws: what was done is committed by now, or has thrown
     * what says more.
     */
    static void giveBack(Connection connection, boolean changed, boolean autoCommit) {
        try (connection) {
            if (changed) {
                connection.setAutoCommit(autoCommit);
            }
        } catch (SQLException lost) {
            // The pool has its own eye on connections.
        }
    }

    /** A deadlock or a conflict between serializable transactions: nothing was done, and again it may work. */
    private static boolean isRolledBack(SQLException thrown) {
        String state = thrown.getSQLState();
        return state != null && state.startsWith("40");
    }
}
