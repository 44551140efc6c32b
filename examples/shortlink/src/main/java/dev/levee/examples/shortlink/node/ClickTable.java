package dev.levee.examples.shortlink.node;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.cache.writebehind.BatchStore;
import dev.levee.cache.writebehind.PendingWrite;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How often each link was followed, in the database: a row for each code and each source that counts, with all that the
 * source has counted so far, so that a row which is written twice counts once.
 *
 * <p>A batch is one statement. The row of the empty code has the number of statements of its source.
 */
public final class ClickTable implements BatchStore<String, Long>, AutoCloseable {
    /** The table. */
    public static final String SCHEMA = "CREATE TABLE IF NOT EXISTS click (code VARCHAR(8), source VARCHAR(80),"
            + " clicks BIGINT NOT NULL, PRIMARY KEY (code, source))";

    private static final char SEPARATOR = '@';

    /** A batch may wait, but not for ever: one that was sent before the database died is not answered. */
    private static final int STATEMENT_SECONDS = 5;

    private final Dialect dialect;
    private final HikariDataSource pool;
    private final String source;
    private final AtomicLong statements = new AtomicLong();

    /**
     * The table.
     *
     * @param url where the database is; nothing connects yet
     * @param source what counts here; no other process ever has the same
     */
    ClickTable(String url, String source) {
        this.dialect = Dialect.of(url);
        this.pool = ConnectionPool.open(url, 1);
        this.source = source;
    }

    /** The key of a code, for one source. */
    static String key(String code, String source) {
        return code + SEPARATOR + source;
    }

    @Override
    public Map<String, Throwable> write(List<PendingWrite<String, Long>> batch) throws SQLException {
        String sql = dialect.setClicks(batch.size() + 1);
        try (Connection connection = pool.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setQueryTimeout(STATEMENT_SECONDS);
            row(statement, 0, key("", source), statements.incrementAndGet());
            for (int i = 0; i < batch.size(); i++) {
                row(
                        statement,
                        i + 1,
                        batch.get(i).key(),
                        Objects.requireNonNull(batch.get(i).value()));
            }
            statement.executeUpdate();
        }
        return Map.of();
    }

    private static void row(PreparedStatement statement, int row, String key, long clicks) throws SQLException {
        int separator = key.indexOf(SEPARATOR);
        statement.setString(3 * row + 1, key.substring(0, separator));
        statement.setString(3 * row + 2, key.substring(separator + 1));
        statement.setLong(3 * row + 3, clicks);
    }

    @Override
    public @Nullable Long load(String key) throws SQLException {
        int separator = key.indexOf(SEPARATOR);
        try (Connection connection = pool.getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("SELECT clicks FROM click WHERE code = ? AND source = ?")) {
            statement.setString(1, key.substring(0, separator));
            statement.setString(2, key.substring(separator + 1));
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getLong(1) : null;
            }
        }
    }

    /**
     * Reads how often each code was followed, counted by all sources together.
     *
     * @param url where the database is
     * @return the clicks by code; those of the empty code are the statements that it took
     * @throws SQLException if it cannot be read
     */
    public static Map<String, Long> totals(String url) throws SQLException {
        Map<String, Long> totals = new HashMap<>();
        try (Connection connection = ConnectionPool.dataSource(url).getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("SELECT code, SUM(clicks) FROM click GROUP BY code");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                totals.put(row.getString(1), row.getLong(2));
            }
        }
        return totals;
    }

    @Override
    public void close() {
        pool.close();
    }
}
