package dev.levee.jdbc;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The statements on the table of keys, in SQL that H2 and PostgreSQL share.
 *
 * <p>Time is the database's: a row holds since when its state lasts and for how long, and each read returns the time of
 * the database as well. Every change raises the version; a change that depends on what was read compares it. See ADR
 * 35.
 */
final class KeyTable {
    static final String RUNNING = "P";
    static final String CHECKING = "C";
    static final String UNKNOWN = "U";
    static final String RESULT = "R";
    static final String FAILURE = "F";

    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)?");
    private static final int MAX_KEY = 255;
    private static final String OWNED = " WHERE scope = ? AND id = ? AND owner = ? AND state IN ('P', 'C', 'U')";
    private static final String SAME = " WHERE scope = ? AND id = ? AND version = ?";

    final String scope;
    final long keepNanos;
    private final String name;

    KeyTable(String name, String scope, Duration keep) {
        if (!IDENTIFIER.matcher(Require.nonNull("table", name)).matches()) {
            throw new IllegalArgumentException(
                    "table must be a plain SQL name, but was \"" + Text.printable(name) + "\"");
        }
        if (Require.name(scope).length() > 100) {
            throw new IllegalArgumentException("scope must have at most 100 characters, but was \"" + scope + "\"");
        }
        this.name = name;
        this.scope = scope;
        this.keepNanos = Nanos.of(Require.positive("keep", keep));
    }

    String name() {
        return name;
    }

    /** Returns how the owner of these keys is named in texts: its kind and its name in quotes. */
    String subject() {
        return "idempotency \"" + scope + '"';
    }

    static String schema(String table) {
        return "CREATE TABLE IF NOT EXISTS " + table + " ("
                + "scope VARCHAR(100) NOT NULL, "
                + "id VARCHAR(255) NOT NULL, "
                + "fingerprint CHAR(64) NOT NULL, "
                + "state CHAR(1) NOT NULL, "
                + "owner VARCHAR(80) NOT NULL, "
                + "version BIGINT NOT NULL, "
                + "since TIMESTAMP(6) WITH TIME ZONE NOT NULL, "
                + "lasts_nanos BIGINT NOT NULL, "
                + "payload BYTEA, "
                + "PRIMARY KEY (scope, id))";
    }

    /** Returns a key that is not too long for its column. */
    static String key(String key) {
        if (Require.nonNull("key", key).length() > MAX_KEY) {
            throw new IllegalArgumentException(
                    "key must have at most " + MAX_KEY + " characters, but has " + key.length());
        }
        return key;
    }

    /**
     * Returns a digest of a fingerprint: of one length for every request, and the request itself is not in the table.
     */
    static String digest(String fingerprint) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(Require.nonNull("fingerprint", fingerprint).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    /** Inserts a row; false if there is one. Waits for a transaction that has inserted it and has not ended. */
    boolean insert(Connection connection, String key, String digest, String state, String owner, long lastsNanos)
            throws SQLException {
        // Without the condition each repeat would be an error, which PostgreSQL writes to its log.
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO " + name
                + " (scope, id, fingerprint, state, owner, version, since, lasts_nanos)"
                + " SELECT ?, ?, ?, ?, ?, 0, CURRENT_TIMESTAMP, CAST(? AS BIGINT)"
                + " WHERE NOT EXISTS (SELECT 1 FROM " + name + " WHERE scope = ? AND id = ?)")) {
            statement.setString(1, scope);
            statement.setString(2, key);
            statement.setString(3, digest);
            statement.setString(4, state);
            statement.setString(5, owner);
            statement.setLong(6, lastsNanos);
            statement.setString(7, scope);
            statement.setString(8, key);
            return statement.executeUpdate() == 1;
        }
    }

    /** Whether an insert failed because another connection inserted the same key in the same moment. */
    static boolean isDuplicate(SQLException thrown) {
        String state = thrown.getSQLState();
        return state != null && state.startsWith("23");
    }

    @Nullable Row read(Connection connection, String key) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT fingerprint, state, owner, version, since, lasts_nanos, payload, CURRENT_TIMESTAMP FROM " + name
                        + " WHERE scope = ? AND id = ?")) {
            statement.setString(1, scope);
            statement.setString(2, key);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return null;
                }
                return new Row(
                        rows.getString(1),
                        rows.getString(2),
                        rows.getString(3),
                        rows.getLong(4),
                        leftNanos(rows, 5, 6, 8),
                        rows.getBytes(7));
            }
        }
    }

    /** Returns how long a row still lasts, by its columns for since when, for how long, and what time it is. */
    private static long leftNanos(ResultSet rows, int since, int lastsNanos, int now) throws SQLException {
        long lasts = rows.getLong(lastsNanos);
        if (lasts >= Nanos.NEVER) {
            return Nanos.NEVER;
        }
        Duration passed = Duration.between(
                rows.getObject(since, OffsetDateTime.class), rows.getObject(now, OffsetDateTime.class));
        return lasts - (passed.isNegative() ? -Nanos.of(passed.negated()) : Nanos.of(passed));
    }

    /** Changes the state of a key if it is still of this owner; false if not. */
    boolean settle(
            Connection connection, String key, String owner, String state, long lastsNanos, byte @Nullable [] payload)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE " + name
                + " SET state = ?, version = version + 1, since = CURRENT_TIMESTAMP, lasts_nanos = ?, payload = ?"
                + OWNED)) {
            statement.setString(1, state);
            statement.setLong(2, lastsNanos);
            statement.setBytes(3, payload);
            statement.setString(4, scope);
            statement.setString(5, key);
            statement.setString(6, owner);
            return statement.executeUpdate() == 1;
        }
    }

    boolean delete(Connection connection, String key, String owner) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM " + name + OWNED)) {
            statement.setString(1, scope);
            statement.setString(2, key);
            statement.setString(3, owner);
            return statement.executeUpdate() == 1;
        }
    }

    /** Gives a row that is still as it was read to a new owner, which has to check; false if it has changed. */
    boolean takeOver(Connection connection, String key, Row row, String owner, long leaseNanos) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE " + name
                + " SET state = 'C', owner = ?, version = version + 1, since = CURRENT_TIMESTAMP, lasts_nanos = ?"
                + SAME)) {
            statement.setString(1, owner);
            statement.setLong(2, leaseNanos);
            statement.setString(3, scope);
            statement.setString(4, key);
            statement.setLong(5, row.version);
            return statement.executeUpdate() == 1;
        }
    }

    boolean deleteIfSame(Connection connection, String key, long version) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM " + name + SAME)) {
            statement.setString(1, scope);
            statement.setString(2, key);
            statement.setLong(3, version);
            return statement.executeUpdate() == 1;
        }
    }

    int purge(Connection connection) throws SQLException {
        List<String> keys = new ArrayList<>();
        List<Long> versions = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT id, version, state, since, lasts_nanos, CURRENT_TIMESTAMP FROM " + name + " WHERE scope = ?")) {
            statement.setString(1, scope);
            statement.setFetchSize(1_000);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    if (isOver(rows.getString(3), leftNanos(rows, 4, 5, 6))) {
                        keys.add(rows.getString(1));
                        versions.add(rows.getLong(2));
                    }
                }
            }
        }
        int deleted = 0;
        for (int index = 0; index < keys.size(); index++) {
            deleted += deleteIfSame(connection, keys.get(index), versions.get(index)) ? 1 : 0;
        }
        return deleted;
    }

    /** Whether the key can be dropped: one that was in progress is kept as unknown after its lease. */
    boolean isOver(String state, long leftNanos) {
        boolean leased = state.equals(RUNNING) || state.equals(CHECKING);
        return leftNanos < Nanos.NEVER && leftNanos <= (leased ? -keepNanos : 0);
    }

    /** A row as it was read, with what was left of its time then; less than zero if its time was over. */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    record Row(
            String fingerprint, String state, String owner, long version, long leftNanos, byte @Nullable [] payload) {}

    @Override
    public String toString() {
        return "table " + name + ", scope " + scope;
    }
}
