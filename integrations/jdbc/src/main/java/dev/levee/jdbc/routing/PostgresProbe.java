package dev.levee.jdbc.routing;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Log sequence numbers of PostgreSQL as positions.
 *
 * <p>The position of a primary is the end of the log that it has flushed: replicas get no more than that. After a
 * commit it is the end of what was inserted: with {@code synchronous_commit = off} the commit is visible before it is
 * written, let alone flushed, so only the insert position is never before it. See ADR 159.
 */
final class PostgresProbe implements ReplicationProbe {
    static final PostgresProbe INSTANCE = new PostgresProbe();

    /** A replica's timeline: what it receives, if the role may see that; else that of its last restart point. */
    private static final String READ =
            "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off',"
                    + " COALESCE(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                    + " ELSE pg_current_wal_flush_lsn() END"
                    + " - '0/0'::pg_lsn, 0),"
                    + " CASE WHEN pg_is_in_recovery() THEN GREATEST((SELECT received_tli FROM pg_stat_wal_receiver),"
                    + " (SELECT timeline_id FROM pg_control_checkpoint()))"
                    + " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,"
                    + " (SELECT system_identifier FROM pg_control_system())";

    private static final String POSITION = "SELECT COALESCE(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
            + " ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn, 0)";

    private PostgresProbe() {}

    @Override
    public NodeReading read(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(READ)) {
            row.next();
            return new NodeReading(
                    row.getBoolean(1), positive(row.getLong(2)), positive(row.getLong(3)), "" + row.getLong(4));
        }
    }

    @Override
    public long position(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(POSITION)) {
            row.next();
            return positive(row.getLong(1));
        }
    }

    /** A position has 64 bits without a sign, but 8 EiB of log are never written: more than that is a broken answer. */
    private static long positive(long value) throws SQLException {
        if (value < 0) {
            throw new SQLException("PostgreSQL gave a position or timeline out of range: " + value);
        }
        return value;
    }

    @Override
    public String toString() {
        return "PostgreSQL";
    }
}
