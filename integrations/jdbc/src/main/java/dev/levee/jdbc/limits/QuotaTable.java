package dev.levee.jdbc.limits;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.jdbc.store.SqlDialect;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The statements on the table of limits, but for the one of {@link PostgresTake}: a request in a short transaction, in
 * which its row is locked. It is what H2 does each time, and what PostgreSQL does where a row is new or has other
 * terms.
 */
final class QuotaTable {
    /** The row that says since when the table remembers: of no limiter. At 0 it always has. */
    private static final String MARK = "";

    private static final Pattern IDENTIFIER =
            Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,62}(\\.[A-Za-z_][A-Za-z0-9_]{0,62})?");
    private static final int MAX_KEY_CHARS = 255;
    private static final int TRIES = 16;

    final String name;
    final SqlDialect dialect;

    /** The nanoseconds since 1970 by the clock of the server, now, not when the transaction began. */
    final String clock;

    final long keepNanos;

    QuotaTable(String name, SqlDialect dialect, long keepNanos, @Nullable String clock) {
        this.name = plain(name);
        this.dialect = dialect;
        this.keepNanos = keepNanos;
        this.clock = clock == null ? clock(dialect) : clock;
    }

    static String plain(String name) {
        if (!IDENTIFIER.matcher(Require.nonNull("table", name)).matches()) {
            throw new IllegalArgumentException(
                    "table must be a plain SQL name, but was \"" + Text.printable(name) + "\"");
        }
        return name;
    }

    private static String clock(SqlDialect dialect) {
        return switch (dialect) {
            case H2 -> "DATEDIFF(NANOSECOND, TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00+00', CURRENT_TIMESTAMP(9))";
            case POSTGRESQL -> "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) * 1000";
            case MYSQL ->
                throw new IllegalArgumentException("limits are kept in H2 and PostgreSQL, but the database is MySQL");
        };
    }

    static List<String> schema(String table, SqlDialect dialect) {
        String name = plain(table);
        boolean postgres = dialect == SqlDialect.POSTGRESQL;
        clock(dialect);
        return List.of(
                "CREATE TABLE IF NOT EXISTS " + name + " ("
                        + "limiter VARCHAR(255) NOT NULL, "
                        + "id VARCHAR(255) NOT NULL, "
                        + "terms VARCHAR(200) NOT NULL, "
                        + "time_nanos BIGINT NOT NULL, "
                        + "server_nanos BIGINT NOT NULL, "
                        + "expires_nanos BIGINT NOT NULL, "
                        + "debt NUMERIC(60) NOT NULL, "
                        + "start_nanos BIGINT NOT NULL, "
                        + "previous_count BIGINT NOT NULL, "
                        + "current_count BIGINT NOT NULL, "
                        + "nodes " + (postgres ? "JSONB" : "VARCHAR(1000000)") + " NOT NULL, "
                        + "PRIMARY KEY (limiter, id))"
                        + (postgres ? " WITH (fillfactor = 50)" : ""),
                "INSERT INTO " + name + " SELECT '', '', '', 0, 0, 0, 0, 0, 0, 0, '{}' WHERE NOT EXISTS (SELECT 1 FROM "
                        + name + " WHERE limiter = '' AND id = '')");
    }

    /**
     * Checks that the table is there, with its columns and the key without which a limit could have two rows.
     *
     * @throws SQLException if not, with what to do
     */
    void check(String store, Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT limiter, id, terms, time_nanos, server_nanos, expires_nanos, debt, start_nanos, previous_count,"
                        + " current_count, nodes FROM " + name + " WHERE 1 = 0")) {
            statement.executeQuery().close();
        } catch (SQLException missing) {
            throw new SQLException(
                    store + ": cannot use table " + name + ", which JdbcQuotaStore.schema makes: "
                            + Text.printable(missing.getMessage()),
                    missing.getSQLState(),
                    missing.getErrorCode(),
                    missing);
        }
        if (!(dialect == SqlDialect.POSTGRESQL ? hasKeyInPostgres(connection) : hasKey(connection))) {
            throw new SQLException(
                    store + ": table " + name + " has no unique index on (limiter, id); it is made by: CREATE UNIQUE"
                            + " INDEX levee_limits_key ON " + name + " (limiter, id)",
                    "42000");
        }
    }

    private boolean hasKeyInPostgres(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT 1 FROM pg_index x WHERE x.indrelid = CAST(? AS regclass) AND x.indisunique AND x.indisvalid"
                        + " AND x.indpred IS NULL AND x.indexprs IS NULL AND x.indnkeyatts = 2 AND 2 = (SELECT count(*)"
                        + " FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attname IN ('limiter', 'id')"
                        + " AND a.attnum IN (x.indkey[0], x.indkey[1]))")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    private boolean hasKey(Connection connection) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        int dot = name.indexOf('.');
        String schema = dot < 0 ? connection.getSchema() : stored(meta, name.substring(0, dot));
        Map<String, Set<String>> indexes = new HashMap<>();
        try (ResultSet rows = meta.getIndexInfo(null, schema, stored(meta, name.substring(dot + 1)), true, true)) {
            while (rows.next()) {
                String column = String.valueOf(rows.getString("COLUMN_NAME"));
                indexes.computeIfAbsent(String.valueOf(rows.getString("INDEX_NAME")), any -> new HashSet<>())
                        .add(column.toLowerCase(Locale.ROOT));
            }
        }
        return indexes.containsValue(Set.of("limiter", "id"));
    }

    /** Returns a name as the database keeps it. */
    private static String stored(DatabaseMetaData meta, String plain) throws SQLException {
        return meta.storesUpperCaseIdentifiers()
                ? plain.toUpperCase(Locale.ROOT)
                : meta.storesLowerCaseIdentifiers() ? plain.toLowerCase(Locale.ROOT) : plain;
    }

    /** Returns a name or key as it stands in the table: as it is, or a digest where it does not fit. */
    static String stored(String text) {
        boolean fits = text.length() <= MAX_KEY_CHARS && (text.isEmpty() || text.charAt(0) != '#');
        for (int index = 0; fits && index < text.length(); index++) {
            char next = text.charAt(index);
            fits = next != 0 && !Character.isSurrogate(next);
        }
        if (fits) {
            return text;
        }
        try {
            return "#"
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.UTF_16BE)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    /** Takes for one request, in a transaction of its own. Auto-commit must be off. */
    QuotaGrant take(Connection connection, String node, long sequence, QuotaRequest request) throws SQLException {
        String limiter = stored(request.limiter());
        String id = stored(request.key());
        for (int attempt = 0; attempt < TRIES; attempt++) {
            QuotaRow row = lock(connection, limiter, id);
            long now = clock(connection);
            boolean isNew = row == null;
            if (row == null) {
                row = fresh(request.terms(), now, mark(connection, now));
            }
            QuotaGrant grant = row.decide(node, sequence, request, now, keepNanos);
            if (isNew ? insert(connection, limiter, id, row) : update(connection, limiter, id, row)) {
                connection.commit();
                return grant;
            }
            connection.rollback();
        }
        throw new SQLException("a row of the table " + name + " changed " + TRIES + " times", "40001");
    }

    private static QuotaRow fresh(QuotaTerms terms, long now, long mark) {
        QuotaLevel level = QuotaLevel.full(terms.limit(), now);
        if (mark > 0) {
            level.fillFromNothing(Math.max(0, now - mark));
        }
        return new QuotaRow(terms, level, now, new LinkedHashMap<>());
    }

    private @Nullable QuotaRow lock(Connection connection, String limiter, String id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT terms, time_nanos, server_nanos, debt, start_nanos, previous_count, current_count, nodes FROM "
                        + name + " WHERE limiter = ? AND id = ? FOR UPDATE")) {
            statement.setString(1, limiter);
            statement.setString(2, id);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return null;
                }
                QuotaTerms terms = TermsText.read(rows.getString(1));
                long time = rows.getLong(2);
                QuotaLevel level = rows.getString(1).startsWith("b")
                        ? new QuotaLevel.BucketLevel(
                                terms.limit(), time, rows.getBigDecimal(4).toBigIntegerExact())
                        : new QuotaLevel.WindowLevel(
                                terms.limit(), time, rows.getLong(5), rows.getLong(6), rows.getLong(7));
                Map<String, QuotaAnswer> answers = QuotaAnswer.readAll(rows.getString(8));
                return new QuotaRow(terms, level, rows.getLong(3), answers);
            }
        }
    }

    private boolean insert(Connection connection, String limiter, String id, QuotaRow row) throws SQLException {
        boolean postgres = dialect == SqlDialect.POSTGRESQL;
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO " + name
                + " (terms, time_nanos, server_nanos, expires_nanos, debt, start_nanos, previous_count, current_count,"
                + " nodes, limiter, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, " + (postgres ? "CAST(? AS JSONB)" : "?")
                + ", ?, ?)" + (postgres ? " ON CONFLICT DO NOTHING" : ""))) {
            set(statement, limiter, id, row);
            return statement.executeUpdate() == 1;
        } catch (SQLException thrown) {
            if (isDuplicate(thrown)) {
                return false;
            }
            throw thrown;
        }
    }

    private boolean update(Connection connection, String limiter, String id, QuotaRow row) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE " + name
                + " SET terms = ?, time_nanos = ?, server_nanos = ?, expires_nanos = ?, debt = ?, start_nanos = ?,"
                + " previous_count = ?, current_count = ?, nodes = "
                + (dialect == SqlDialect.POSTGRESQL ? "CAST(? AS JSONB)" : "?") + " WHERE limiter = ? AND id = ?")) {
            set(statement, limiter, id, row);
            return statement.executeUpdate() == 1;
        }
    }

    private void set(PreparedStatement statement, String limiter, String id, QuotaRow row) throws SQLException {
        long expires = row.server + keepNanos;
        long reset = row.level.resetNanos();
        statement.setString(1, TermsText.of(row.terms));
        statement.setLong(2, row.level.now);
        statement.setLong(3, row.server);
        statement.setLong(4, reset > Long.MAX_VALUE - expires ? Long.MAX_VALUE : expires + reset);
        boolean isBucket = row.level instanceof QuotaLevel.BucketLevel;
        statement.setBigDecimal(
                5, isBucket ? new BigDecimal(((QuotaLevel.BucketLevel) row.level).debt) : BigDecimal.ZERO);
        QuotaLevel.@Nullable WindowLevel window = isBucket ? null : (QuotaLevel.WindowLevel) row.level;
        statement.setLong(6, window == null ? 0 : window.start);
        statement.setLong(7, window == null ? 0 : window.previous);
        statement.setLong(8, window == null ? 0 : window.current);
        statement.setString(9, QuotaAnswer.write(row.answers));
        statement.setString(10, limiter);
        statement.setString(11, id);
    }

    /** Reads the clock of the server: a statement of its own, so that it is read when the row is locked. */
    private long clock(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT " + clock);
                ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** Returns since when the table remembers; if it has forgotten that as well, since now. */
    private long mark(Connection connection, long now) throws SQLException {
        OptionalLong known = readMark(connection);
        if (known.isPresent()) {
            return known.getAsLong();
        }
        boolean postgres = dialect == SqlDialect.POSTGRESQL;
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO " + name
                + " VALUES ('', '', '', ?, ?, 0, 0, 0, 0, 0, '{}')" + (postgres ? " ON CONFLICT DO NOTHING" : ""))) {
            statement.setLong(1, now);
            statement.setLong(2, now);
            statement.executeUpdate();
        } catch (SQLException thrown) {
            if (!isDuplicate(thrown)) {
                throw thrown;
            }
        }
        return readMark(connection).orElse(now);
    }

    private OptionalLong readMark(Connection connection) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT server_nanos FROM " + name + " WHERE limiter = ? AND id = ?")) {
            statement.setString(1, MARK);
            statement.setString(2, MARK);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
            }
        }
    }

    private static boolean isDuplicate(SQLException thrown) {
        return "23505".equals(thrown.getSQLState());
    }

    /**
     * Deletes some rows of limits that are as if they were never used. One that is locked is in use.
     *
     * @param notAfter the clock of the server as it would be by the clock of this process
     */
    int expire(Connection connection, long notAfter, int count) throws SQLException {
        String over = " FROM " + name + " WHERE expires_nanos < LEAST(" + clock + ", ?) AND limiter <> ''";
        try (PreparedStatement statement = connection.prepareStatement(
                dialect == SqlDialect.POSTGRESQL
                        ? "DELETE FROM " + name + " WHERE (limiter, id) IN (SELECT limiter, id" + over + " LIMIT "
                                + count + " FOR UPDATE SKIP LOCKED)"
                        : "DELETE" + over + " FETCH FIRST " + count + " ROWS ONLY")) {
            statement.setLong(1, notAfter);
            return statement.executeUpdate();
        }
    }

    long readClock(Connection connection) throws SQLException {
        return clock(connection);
    }

    @Override
    public String toString() {
        return "table " + name;
    }
}
