package dev.levee.jdbc.store;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Locale;

/**
 * The databases whose SQL this package writes.
 *
 * @since 0.1
 */
public enum SqlDialect {
    /** H2, from 2.0. */
    H2("BLOB", '"'),

    /** PostgreSQL, from 9.5. */
    POSTGRESQL("BYTEA", '"'),

    /** MySQL and MariaDB, in InnoDB. The SQL is tested as text, not on a server. */
    MYSQL("LONGBLOB", '`');

    /** The type of a column of bytes. */
    final String bytes;

    /** Stands around a name that is quoted. */
    final char quote;

    SqlDialect(String bytes, char quote) {
        this.bytes = bytes;
        this.quote = quote;
    }

    /**
     * Returns the dialect of the database at the other end of a connection, by the name of its product.
     *
     * @param connection an open connection
     * @return the dialect
     * @throws NullPointerException if the connection is null
     * @throws IllegalArgumentException if it is another database
     * @throws SQLException if the connection fails
     */
    public static SqlDialect of(Connection connection) throws SQLException {
        String product = Require.nonNull("connection", connection).getMetaData().getDatabaseProductName();
        return switch (String.valueOf(product).toLowerCase(Locale.ROOT)) {
            case "h2" -> H2;
            case "postgresql" -> POSTGRESQL;
            case "mysql", "mariadb" -> MYSQL;
            default ->
                throw new IllegalArgumentException("database must be H2, PostgreSQL, MySQL or MariaDB, but was \""
                        + Text.printable(product) + "\": set the dialect if it takes the SQL of one of them");
        };
    }
}
