package dev.levee.jdbc;

import java.sql.SQLException;

/**
 * What goes to the database.
 *
 * @param <T> what comes back
 */
interface SqlCall<T> {
    T run() throws SQLException;
}
