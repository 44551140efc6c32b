package dev.levee.jdbc.limits;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.jdbc.store.SqlDialect;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps limits that several processes share in a table, where there is a database and no Redis.
 *
 * <pre>{@code
 * JdbcQuotaStore store = JdbcQuotaStore.of("limits", dataSource);
 * }</pre>
 *
 * <p>H2 and PostgreSQL (from 12). A batch is one statement in PostgreSQL, which commits by itself; a row that is not
 * there, or has other terms, is a short transaction of its own. H2 has one such transaction for each request. Time is
 * the database's. Token buckets and sliding windows; all numbers are whole and exact.
 *
 * <p><b>The table.</b> {@link #schema} makes it. A row is a limiter and key; the last answers to each process are in
 * it, so that a batch that is sent again takes nothing. The row without a limiter says since when the table remembers:
 * where it is gone, as after a {@code TRUNCATE}, limits begin with nothing and refill from there. So the table may be
 * {@code UNLOGGED} in PostgreSQL, which loses it in a crash of the server and writes less: replace {@code CREATE TABLE}
 * in the schema. Names and keys of more than 255 characters, and those that a database does not take, are kept as a
 * digest.
 *
 * <p><b>A clock of the server that is set back</b> freezes nothing, and one that is set ahead mints what the process
 * that asks allows by {@link QuotaRequest#latestNanos}; a process that knows of no earlier time, and a key whose row
 * was deleted, get a full limit at most.
 *
 * <p>Give it the plain data source, not one that joins the transactions of its callers, and at the isolation READ
 * COMMITTED. Thread-safe. {@link #take} never blocks: the statements run on an executor, on a few connections at once;
 * what waits for them is bounded (10,000 batches). A failure of a batch may have carried it out: send it again. See ADR
 * 155.
 *
 * @since 0.1
 */
public final class JdbcQuotaStore implements QuotaStore, AutoCloseable {
    /** The default name of the table. */
    public static final String TABLE = "levee_limits";

    private static final Logger LOG = LoggerFactory.getLogger(JdbcQuotaStore.class);
    private static final Pattern NODE = Pattern.compile("[A-Za-z0-9]{1,64}");
    private static final int TRIES = 5;
    private static final int EXPIRED_AT_ONCE = 1_000;

    private final String name;
    private final DataSource dataSource;
    private final JdbcQuotaConfig config;
    private final Environment environment;
    private final @Nullable String clock;
    private final BoundedWork work;
    private final long replayNanos;

    /** Null until there was a connection. */
    private volatile @Nullable Sql sql;

    private volatile boolean closed;
    private volatile Scheduler.@Nullable Timer timer;

    /** The clock of the server, and of this process, when rows were deleted first. */
    private volatile long @Nullable [] anchor;

    /** The statements in the dialect of the database. */
    private record Sql(QuotaTable table, @Nullable PostgresTake take) {}

    private JdbcQuotaStore(
            String name,
            DataSource dataSource,
            JdbcQuotaConfig config,
            Environment environment,
            @Nullable String clock) {
        this.name = Require.name(name);
        this.dataSource = Require.nonNull("dataSource", dataSource);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.clock = clock;
        replayNanos = Nanos.of(config.replay);
        work = new BoundedWork(environment, config.executor, "quota store \"" + name + '"', config.maxConnections);
    }

    /**
     * Makes a store in the table {@link #TABLE}. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static JdbcQuotaStore of(String name, DataSource dataSource) {
        return of(name, dataSource, Environment.system());
    }

    /**
     * Makes a store in the table {@link #TABLE}. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param environment gives the timer by which rows are deleted, and the executor
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static JdbcQuotaStore of(String name, DataSource dataSource, Environment environment) {
        return of(name, dataSource, config -> {}, environment);
    }

    /**
     * Makes a store. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param configure sets what differs from the defaults
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, or a setting is out of its range
     */
    public static JdbcQuotaStore of(
            String name, DataSource dataSource, Consumer<? super JdbcQuotaConfig.Builder> configure) {
        return of(name, dataSource, configure, Environment.system());
    }

    /**
     * Makes a store. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param configure sets what differs from the defaults
     * @param environment gives the timer by which rows are deleted, and the executor
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, or a setting is out of its range
     */
    public static JdbcQuotaStore of(
            String name,
            DataSource dataSource,
            Consumer<? super JdbcQuotaConfig.Builder> configure,
            Environment environment) {
        JdbcQuotaConfig config = Require.configured(
                "quota store", name, JdbcQuotaConfig.builder(), configure, JdbcQuotaConfig.Builder::build);
        return of(name, dataSource, config, environment, null);
    }

    /** Makes a store that reads the time of the server by an expression, so that tests can set it. */
    static JdbcQuotaStore of(
            String name,
            DataSource dataSource,
            JdbcQuotaConfig config,
            Environment environment,
            @Nullable String clock) {
        JdbcQuotaStore store = new JdbcQuotaStore(name, dataSource, config, environment, clock);
        store.planExpiry();
        return store;
    }

    /**
     * Returns the statements that make the table, if it is not there, and the row that says that it remembers from the
     * beginning.
     *
     * @param table its name
     * @param dialect {@code H2} or {@code POSTGRESQL}
     * @return DDL, and an insert; safe to repeat
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is not a plain one, or the dialect another one
     */
    public static List<String> schema(String table, SqlDialect dialect) {
        return QuotaTable.schema(table, Require.nonNull("dialect", dialect));
    }

    @Override
    public void check(Limit limit) {
        TermsText.check(Require.nonNull("limit", limit));
    }

    @Override
    public long replayNanos() {
        return replayNanos;
    }

    @Override
    public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
        Require.nonNull("batch", batch);
        CompletableFuture<List<QuotaGrant>> answer = new CompletableFuture<>();
        try {
            if (closed) {
                throw new RejectedExecutionException(this + " is closed");
            }
            if (!NODE.matcher(batch.node()).matches()) {
                throw new IllegalArgumentException("node must be 1 to 64 letters and digits");
            }
            batch.requests().forEach(request -> check(request.terms().limit()));
            work.run(() -> complete(answer, batch));
        } catch (Throwable refused) { // an Error too: there may be no thread for it
            answer.completeExceptionally(refused);
        }
        return answer;
    }

    private void complete(CompletableFuture<List<QuotaGrant>> answer, QuotaBatch batch) {
        if (answer.isDone()) {
            return; // cancelled
        }
        try {
            answer.complete(connected((sql, connection) -> take(sql, connection, batch)));
        } catch (Throwable failed) { // whatever a driver throws, a caller waits for it
            answer.completeExceptionally(failed);
        }
    }

    private interface QuotaWork<R> {
        R run(Sql sql, Connection connection) throws SQLException;
    }

    /** Runs statements on a connection with auto-commit; again if the database has rolled them back. */
    private <R> R connected(QuotaWork<R> body) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                return once(body);
            } catch (SQLException thrown) {
                String state = thrown.getSQLState();
                boolean rolledBack = state != null && state.startsWith("40") && !state.equals("40003");
                if (!rolledBack || attempt == TRIES) {
                    throw thrown;
                }
            }
        }
    }

    private <R> R once(QuotaWork<R> body) throws SQLException {
        Connection connection = dataSource.getConnection();
        boolean manual = false;
        int networkTimeout = -1;
        try {
            networkTimeout = limitNetwork(connection);
            manual = !connection.getAutoCommit();
            if (manual) {
                connection.setAutoCommit(true);
            }
            return body.run(sql(connection), connection);
        } finally {
            giveBack(connection, manual, networkTimeout);
        }
    }

    private int limitNetwork(Connection connection) {
        try {
            int before = connection.getNetworkTimeout();
            connection.setNetworkTimeout(Runnable::run, (int) config.timeout.toMillis());
            return before;
        } catch (SQLException | UnsupportedOperationException | AbstractMethodError unsupported) {
            return -1;
        }
    }

    private static void giveBack(Connection connection, boolean manual, int networkTimeout) {
        try (connection) {
            if (!connection.getAutoCommit()) {
                connection.rollback();
                connection.setAutoCommit(!manual);
            } else if (manual) {
                connection.setAutoCommit(false);
            }
            if (networkTimeout >= 0) {
                connection.setNetworkTimeout(Runnable::run, networkTimeout);
            }
        } catch (SQLException | RuntimeException lost) {
            // The pool checks its connections itself.
        }
    }

    private Sql sql(Connection connection) throws SQLException {
        Sql known = sql;
        if (known == null) {
            SqlDialect dialect = SqlDialect.of(connection);
            QuotaTable table = new QuotaTable(config.table, dialect, replayNanos, clock);
            table.check(toString(), connection);
            known = new Sql(table, dialect == SqlDialect.POSTGRESQL ? new PostgresTake(table) : null);
            sql = known;
        }
        return known;
    }

    private List<QuotaGrant> take(Sql known, Connection connection, QuotaBatch batch) throws SQLException {
        List<QuotaRequest> requests = batch.requests();
        @Nullable QuotaGrant[] grants = known.take == null
                ? new @Nullable QuotaGrant[requests.size()]
                : known.take.take(connection, batch, replayNanos);
        List<QuotaGrant> answers = new ArrayList<>(requests.size());
        for (int index = 0; index < grants.length; index++) {
            QuotaGrant grant = grants[index];
            if (grant == null) {
                connection.setAutoCommit(false);
                grant = takeOne(known, connection, batch, requests.get(index));
            }
            answers.add(grant);
        }
        if (!connection.getAutoCommit()) {
            connection.setAutoCommit(true);
        }
        return List.copyOf(answers);
    }

    private QuotaGrant takeOne(Sql known, Connection connection, QuotaBatch batch, QuotaRequest request)
            throws SQLException {
        try {
            return known.table.take(connection, batch.node(), batch.sequence(), request);
        } catch (IllegalArgumentException | ArithmeticException foreign) {
            connection.rollback();
            return QuotaGrant.failed(new IllegalStateException(
                    this + ": a row is not of this version; delete it, or choose another table ("
                            + Text.printable(String.valueOf(foreign.getMessage())) + ")",
                    foreign));
        }
    }

    /**
     * Deletes the rows of limits that are as if they were never used, and whose answers need not be remembered any
     * more; {@link JdbcQuotaConfig.Builder#expireEvery} does it in the background. Reads the whole table: the column
     * has no index, because one would have to be written with each request. Blocks.
     *
     * @return how many rows it has deleted
     * @throws SQLException if the database failed
     */
    public int expire() throws SQLException {
        int all = 0;
        int deleted = EXPIRED_AT_ONCE;
        while (deleted == EXPIRED_AT_ONCE && !closed) {
            deleted = connected((known, connection) ->
                    known.table.expire(connection, notAfter(known.table.readClock(connection)), EXPIRED_AT_ONCE));
            all += deleted;
        }
        return all;
    }

    /**
     * Returns the time of the server as it would be if its clock had not been set ahead since rows were deleted first.
     */
    private long notAfter(long server) {
        long now = environment.clock().nanoTime();
        long[] first = anchor;
        if (first == null || server < first[0] + (now - first[1])) {
            anchor = new long[] {server, now};
            return server;
        }
        return first[0] + (now - first[1]);
    }

    private void planExpiry() {
        long every = Nanos.of(config.expireEvery);
        if (every < Nanos.NEVER && !closed) {
            Scheduler.Timer planned = environment.schedule(this::expireSoon, every);
            timer = planned;
            if (closed) { // meanwhile, and it may not have seen the timer
                planned.cancel();
            }
        }
    }

    private void expireSoon() {
        try {
            work.run(this::expireAndPlan);
        } catch (Throwable rejected) { // an Error too: there may be no thread for it
            planExpiry();
        }
    }

    private void expireAndPlan() {
        try {
            expire();
        } catch (Throwable failed) { // by a driver
            SafeLog.warn(LOG, "{}: rows that have expired were not deleted", this, failed);
        } finally {
            planExpiry();
        }
    }

    /** Ends the timer. What runs goes on; batches that come later fail. Does not close the data source. */
    @Override
    public void close() {
        closed = true;
        Scheduler.Timer planned = timer;
        if (planned != null) {
            planned.cancel();
        }
    }

    @Override
    public String toString() {
        return "quota store \"" + name + '"';
    }
}
