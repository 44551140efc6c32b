package dev.levee.jdbc.routing;

import dev.levee.core.internal.Require;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * Finds out what a node of a replicated database is and how far it has come.
 *
 * <p>{@link #postgres()} asks PostgreSQL, of version 10 or newer. {@link #heartbeat} is for others that replicate
 * commits in their order: it counts in a table. Implement it for a database that says more. Must be thread-safe.
 *
 * @since 0.1
 */
public interface ReplicationProbe {
    /**
     * Reads the role and the position of a node. Runs in the background, again and again, on one connection that
     * commits each statement by itself; it is aborted at the end of the probe's timeout.
     *
     * @param connection to the node; must not be closed
     * @return what was read
     * @throws SQLException if the node cannot say; it then counts as not reachable
     */
    NodeReading read(Connection connection) throws SQLException;

    /**
     * Returns a position that is not before anything that a statement on this connection would see now, or has
     * committed before: a node whose {@link NodeReading#position} has reached it shows all of it. Runs on the caller's
     * connection after a commit or a read, only if the call has a session.
     *
     * @param connection to the node, which commits each statement by itself; must not be closed
     * @return the position, from 0
     * @throws SQLException if the node cannot say
     */
    long position(Connection connection) throws SQLException;

    /**
     * Returns the probe for PostgreSQL: log sequence numbers, timelines and the system identifier. Reads with the
     * rights of any role; with those of {@code pg_monitor} a replica is used again sooner after a promotion, because it
     * says which timeline it receives.
     *
     * @return the same object each time
     */
    static ReplicationProbe postgres() {
        return PostgresProbe.INSTANCE;
    }

    /**
     * Returns a probe that counts up one row of a table at the node that takes writes, and reads it at the others.
     *
     * <p>Every node but one must refuse writes, with SQLSTATE 25006 or the codes of MySQL or H2 for read-only servers:
     * a replica that takes writes gets those of the probe. Where that is not sure use {@link #heartbeat(String,
     * String)}.
     *
     * @param table its name, with its schema if need be; made by {@link #heartbeatSchema}
     * @return the probe
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if it is no plain name
     */
    static ReplicationProbe heartbeat(String table) {
        return new HeartbeatProbe(table, null);
    }

    /**
     * Returns a probe as {@link #heartbeat(String)} that asks a query whether a node takes writes before it writes.
     *
     * @param table its name, with its schema if need be
     * @param writableQuery has one row with one column, true or not 0 if the node takes writes; for MySQL {@code SELECT
     *     NOT @@global.read_only}
     * @return the probe
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is no plain one
     */
    static ReplicationProbe heartbeat(String table, String writableQuery) {
        return new HeartbeatProbe(table, Require.nonNull("writableQuery", writableQuery));
    }

    /**
     * Returns the statements that create the table of {@link #heartbeat} and its row.
     *
     * @param table its name
     * @return SQL: the table, then the row
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if it is no plain name
     */
    static List<String> heartbeatSchema(String table) {
        return HeartbeatProbe.schema(table);
    }
}
