package dev.levee.jdbc.routing;

import dev.levee.core.internal.Require;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Beats, counted in a table, as positions. A node that shows a beat has all that was committed before it, as commits
 * are applied in their order. What is committed or seen now is before the next beat that is not visible yet, so that is
 * its position. See ADR 159.
 */
final class HeartbeatProbe implements ReplicationProbe {
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)?");

    /** What MySQL says of {@code --read-only} and {@code super_read_only}, and MariaDB. */
    private static final List<Integer> MYSQL_READ_ONLY = List.of(1290, 1792, 1836);

    private static final String READ_ONLY_STATE = "25006";
    private static final int H2_READ_ONLY = 90097;

    private final String table;
    private final @Nullable String writableQuery;

    HeartbeatProbe(String table, @Nullable String writableQuery) {
        this.table = checked(table);
        this.writableQuery = writableQuery;
    }

    private static String checked(String table) {
        if (!NAME.matcher(Require.nonNull("table", table)).matches()) {
            throw new IllegalArgumentException("table must be a plain name, with a schema if need be");
        }
        return table;
    }

    static List<String> schema(String table) {
        return List.of(
                "CREATE TABLE IF NOT EXISTS " + checked(table) + " (id INT PRIMARY KEY, beat BIGINT NOT NULL)",
                "INSERT INTO " + table + " SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM " + table + ")");
    }

    @Override
    public NodeReading read(Connection connection) throws SQLException {
        boolean writable = (writableQuery == null || isWritable(connection, writableQuery)) && beat(connection);
        return new NodeReading(writable, current(connection));
    }

    private static boolean isWritable(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** Counts up; false if the node refuses writes. Any other failure says nothing of its role. */
    private boolean beat(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (statement.executeUpdate("UPDATE " + table + " SET beat = beat + 1 WHERE id = 1") != 1) {
                throw new SQLException("the table " + table + " has no row for heartbeats");
            }
            return true;
        } catch (SQLException refused) {
            if (isReadOnly(refused)) {
                return false;
            }
            throw refused;
        }
    }

    static boolean isReadOnly(SQLException thrown) {
        return READ_ONLY_STATE.equals(thrown.getSQLState())
                || MYSQL_READ_ONLY.contains(thrown.getErrorCode())
                || thrown.getErrorCode() == H2_READ_ONLY;
    }

    private long current(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT beat FROM " + table + " WHERE id = 1")) {
            if (!row.next()) {
                throw new SQLException("the table " + table + " has no row for heartbeats");
            }
            return row.getLong(1);
        }
    }

    @Override
    public long position(Connection connection) throws SQLException {
        return current(connection) + 1;
    }

    @Override
    public String toString() {
        return "heartbeats in " + table;
    }
}
