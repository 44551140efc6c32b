package dev.levee.jdbc.store;

import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Makes a key or a value of the columns of a row. Thread-safe; must not move the row, and not keep it.
 *
 * @param <T> what is read
 * @since 0.1
 */
@FunctionalInterface
public interface RowReader<T> {
    /**
     * Reads one row, by the names of the columns that the store was given.
     *
     * @param row stands at the row
     * @return what is in it; not null
     * @throws SQLException if a column cannot be read
     */
    T read(ResultSet row) throws SQLException;
}
