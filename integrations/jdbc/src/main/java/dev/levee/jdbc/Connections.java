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
        try (Connection connection = dataSource.getConnection()) {
            boolean committed = connection.getAutoCommit();
            if (!committed) {
                connection.setAutoCommit(true);
            }
            try {
                return body.run(connection);
            } finally {
                if (!committed) {
                    connection.setAutoCommit(false);
                }
            }
        }
    }

    /** A deadlock or a conflict between serializable transactions: nothing was done, and again it may work. */
    private static boolean isRolledBack(SQLException thrown) {
        String state = thrown.getSQLState();
        return state != null && state.startsWith("40");
    }
}
