package dev.levee.examples.shortlink.node;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.examples.shortlink.Backends;
import dev.levee.examples.shortlink.node.JdbcCall.Work;
import dev.levee.jdbc.ResultCodec;
import dev.levee.jdbc.TransactionalIdempotency;
import dev.levee.jdbc.UncheckedSqlException;
import dev.levee.jdbc.routing.RoutingConfig;
import dev.levee.jdbc.routing.RoutingDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;

/** The links in the database. Nothing here knows of breakers and timeouts: {@link NodeGuards} puts them around it. */
public final class LinkTable implements AutoCloseable {
    /** The prefix of the idempotency keys of requests to shorten. */
    public static final String SCOPE = "shorten";

    /** A replica that is further behind is not read. */
    static final Duration MAX_LAG = Duration.ofSeconds(1);

    /** What the database is called in sessions. */
    private static final String DATABASE = "links";

    private final Dialect dialect;
    private final DataSource writes;
    private final DataSource reads;
    private final Executor executor;
    private final Runnable close;

    private LinkTable(Dialect dialect, DataSource writes, DataSource reads, Executor executor, Runnable close) {
        this.dialect = dialect;
        this.writes = writes;
        this.reads = reads;
        this.executor = executor;
        this.close = close;
    }

    /**
     * The table.
     *
     * @param backends where the database is; nothing connects yet
     * @param connections how many connections there may be at once, to each database
     * @param environment its executor runs statements; its threads may block
     * @return the table, to be closed
     */
    public static LinkTable of(Backends backends, int connections, Environment environment) {
        Dialect dialect = Dialect.of(backends.primary());
        HikariDataSource primary = ConnectionPool.open(backends.primary(), connections);
        if (backends.replica() == null) {
            return new LinkTable(dialect, primary, primary, environment.executor(), primary::close);
        }
        HikariDataSource replica = ConnectionPool.open(backends.replica(), connections);
        RoutingDataSource both = RoutingDataSource.of(
                DATABASE, Map.of("primary", primary, "replica", replica), LinkTable::configure, environment);
        // The choice and the session of a call are those of its thread, so they go along to the one of the statement.
        Executor executor = CallContext.carrying(environment.executor());
        return new LinkTable(dialect, both, both.reads(), executor, both::close);
    }

    private static void configure(RoutingConfig.Builder config) {
        config.probeEvery(Duration.ofMillis(100))
                .maxLag(MAX_LAG)
                // Less than a statement may take: then there is time to ask the primary.
                .sessionWait(Duration.ofMillis(10))
                .slowStart(Duration.ofSeconds(2))
                .closesNodes(true);
    }

    /**
     * Finds a code.
     *
     * @param code the code
     * @return gives its URL, if there is one; a cancel cancels the statement
     */
    public CompletableFuture<Optional<String>> find(String code) {
        return JdbcCall.start(reads, executor, call -> select(call, code));
    }

    /**
     * Stores a URL, unless it is there already.
     *
     * @param url the URL
     * @return gives its code, once it is on disk; a cancel cancels the statement
     */
    public CompletableFuture<String> add(String url) {
        return start(call -> insert(call, url));
    }

    /**
     * Stores a URL once for a key, however often it is asked to: the link and the record that it was made are one
     * transaction, so no crash comes between them.
     *
     * @param key the client's name of this request; a request with the same key is the same request
     * @param url the URL, which is also the fingerprint of the request
     * @return gives its code, once it is on disk; a cancel cancels the statement and rolls back. Fails with
     *     {@link dev.levee.core.idempotency.FingerprintMismatchException} if the key was used for another URL, and with
     *     {@link dev.levee.core.idempotency.IdempotencyRefusedException} if another call with this key is still in
     *     progress
     */
    CompletableFuture<Once> addOnce(String key, String url) {
        return start(call -> {
            AtomicBoolean ran = new AtomicBoolean();
            try {
                String code = TransactionalIdempotency.of(call.dataSource(), SCOPE, ResultCodec.text())
                        .call(key, url, connection -> {
                            ran.set(true);
                            return insert(call, url);
                        });
                return new Once(code, !ran.get());
            } catch (UncheckedSqlException e) {
                if (e.getCause() instanceof SQLException failure) {
                    throw failure;
                }
                throw e;
            }
        });
    }

    /**
     * What {@link #addOnce} gave.
     *
     * @param code the code of the URL
     * @param replayed whether it was stored before, and this is what was recorded then
     */
    record Once(String code, boolean replayed) {}

    /**
     * Stores many URLs at once, as an administrator would. Blocks.
     *
     * @param database where the database is
     * @param urls the URLs
     * @throws SQLException if that fails; none is stored then
     */
    public static void seed(String database, List<String> urls) throws SQLException {
        try (Connection connection = ConnectionPool.dataSource(database).getConnection();
                PreparedStatement statement =
                        connection.prepareStatement(Dialect.of(database).setLink())) {
            connection.setAutoCommit(false);
            for (String url : urls) {
                statement.setString(1, Code.of(url, 0));
                statement.setString(2, url);
                statement.addBatch();
            }
            statement.executeBatch();
            connection.commit();
        }
    }

    private <T> CompletableFuture<T> start(Work<T> work) {
        return JdbcCall.start(writes, executor, work);
    }

    private static Optional<String> select(JdbcCall<?> call, String code) throws SQLException {
        try (PreparedStatement statement = call.prepare("SELECT url FROM link WHERE code = ?")) {
            statement.setString(1, code);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
        }
    }

    /** The same URL gets the same code however often it comes; if two URLs want one code, the later one is salted. */
    private String insert(JdbcCall<?> call, String url) throws SQLException {
        for (int salt = 0; ; salt++) {
            String code = Code.of(url, salt);
            if (inserted(call, code, url) || select(call, code).equals(Optional.of(url))) {
                return code;
            }
        }
    }

    private boolean inserted(JdbcCall<?> call, String code, String url) throws SQLException {
        try (PreparedStatement statement = call.prepare(dialect.addLink())) {
            statement.setString(1, code);
            statement.setString(2, url);
            return statement.executeUpdate() == 1;
        } catch (SQLIntegrityConstraintViolationException taken) {
            return false;
        }
    }

    @Override
    public void close() {
        close.run();
    }
}
