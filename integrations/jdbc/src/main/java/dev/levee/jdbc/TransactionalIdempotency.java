package dev.levee.jdbc;

import dev.levee.core.RefusedException;
import dev.levee.core.idempotency.FingerprintMismatchException;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.Unchecked;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs work on a database exactly once per key: what the work writes and the record that it was done are one
 * transaction.
 *
 * <pre>{@code
 * TransactionalIdempotency<String> orders = TransactionalIdempotency.of(dataSource, "orders", ResultCodec.text());
 * String id = orders.call(key, digestOf(request), connection -> insertOrder(connection, request));
 * }</pre>
 *
 * <p>Use it when all that the operation does is in the database that holds the keys. Then a crash at any moment,
 * {@code kill -9} too, loses nothing: either both are committed, or neither is, and a repeat runs the work. There is no
 * lease, no unknown outcome and no check. Not for work that calls others or has any other effect outside of the
 * connection; that is {@link dev.levee.core.idempotency.Idempotency} over a {@link JdbcIdempotencyStore}.
 *
 * <p>A concurrent repeat waits in the database until the first transaction has ended, at most as long as the database
 * lets a statement wait for a lock ({@code lock_timeout} in PostgreSQL, {@code LOCK_TIMEOUT} in H2), and is then
 * refused. Failures are rolled back, so they are never recorded; a repeat runs the work again. If the connection is
 * lost during the commit the caller gets an {@link UncheckedSqlException}, and a repeat finds out which it was.
 *
 * <p>The work must not end its transaction. Where it does, by a {@code commit}, {@code setAutoCommit} or a statement at
 * which the database commits by itself, the promise is broken, and the record says so: until the work has returned, the
 * key is one whose outcome is unknown. If the work then fails, or the process dies, all further calls with the key are
 * refused with {@link Reason#UNKNOWN_OUTCOME}; they are neither answered nor run. A {@link JdbcIdempotencyStore} of the
 * same scope with a check can settle it. Savepoints are the work's own affair. A rollback takes the record along: what
 * the work commits itself after that is known to no repeat.
 *
 * <p>The table is that of {@link JdbcIdempotencyStore}, and {@link JdbcIdempotencyStore#purge} of a store with the same
 * scope deletes what has expired. Thread-safe; blocks on the database, and holds a connection while the work runs.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public final class TransactionalIdempotency<T extends @Nullable Object> {
    private static final Duration KEEP = Duration.ofDays(1);
    private static final int TRIES = 16;

    private final DataSource dataSource;
    private final KeyTable table;
    private final ResultCodec<T> codec;
    private final String process = UUID.randomUUID().toString();
    private final AtomicLong owners = new AtomicLong();

    private TransactionalIdempotency(DataSource dataSource, KeyTable table, ResultCodec<T> codec) {
        this.dataSource = Require.nonNull("dataSource", dataSource);
        this.table = table;
        this.codec = Require.nonNull("codec", codec);
    }

    /**
     * Keeps keys in the table {@link JdbcIdempotencyStore#TABLE}, each for a day.
     *
     * @param dataSource the source of connections; best a pool
     * @param scope separates these keys from others in the table, at most 100 characters; also its name in refusals
     * @param codec writes and reads results
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the scope is blank or has a control character or too long
     */
    public static <T extends @Nullable Object> TransactionalIdempotency<T> of(
            DataSource dataSource, String scope, ResultCodec<T> codec) {
        return of(dataSource, JdbcIdempotencyStore.TABLE, scope, KEEP, codec);
    }

    /**
     * Keeps keys in a table.
     *
     * @param dataSource the source of connections; best a pool
     * @param table the name of the table, with its schema if need be
     * @param scope separates these keys from others in the table, at most 100 characters; also its name in refusals
     * @param keep how long a key is held, more than zero
     * @param codec writes and reads results
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static <T extends @Nullable Object> TransactionalIdempotency<T> of(
            DataSource dataSource, String table, String scope, Duration keep, ResultCodec<T> codec) {
        return new TransactionalIdempotency<>(dataSource, new KeyTable(table, scope, keep), codec);
    }

    /**
     * Runs the work unless it has been done for this key.
     *
     * @param key what must not happen twice, at most 255 characters
     * @param fingerprint what distinguishes requests; the same for each repeat
     * @param operation the work, on this thread
     * @param <X> what it throws
     * @return what it returned, now or before
     * @throws NullPointerException if an argument is null
     * @throws X what it threw, after everything that it wrote and has not committed itself was rolled back
     * @throws FingerprintMismatchException if the key was used with another fingerprint
     * @throws IdempotencyRefusedException if another call with this key holds it for too long, or if the work for this
     *     key committed early and how it ended is not known
     * @throws UncheckedSqlException if the database failed
     * @throws IllegalStateException if the work has rolled the transaction back by itself; all that it wrote is rolled
     *     back
     */
    public <X extends Throwable> T call(String key, String fingerprint, TransactionalOperation<T, X> operation)
            throws X {
        KeyTable.key(key);
        String digest = KeyTable.digest(fingerprint);
        Require.nonNull("operation", operation);
        try {
            return attempt(key, digest, operation);
        } catch (SQLException thrown) {
            throw new UncheckedSqlException(table.subject() + ": the database failed in a call", thrown);
        }
    }

    private <X extends Throwable> T attempt(String key, String digest, TransactionalOperation<T, X> operation)
            throws X, SQLException {
        String owner = process + "-" + owners.incrementAndGet();
        Connection connection = dataSource.getConnection();
        boolean committed = false;
        boolean ended = false;
        boolean claimed = false;
        try {
            committed = connection.getAutoCommit();
            connection.setAutoCommit(false);
            for (int tries = 0; tries < TRIES; tries++) {
                if (insert(connection, key, digest, owner)) {
                    claimed = true;
                    T result = operation.run(connection);
                    connection.setAutoCommit(false); // whatever the work did to it
                    write(connection, key, owner, result);
                    connection.commit();
                    ended = true;
                    return result;
                }
                KeyTable.Row row = table.read(connection, key);
                if (row != null && !table.isOver(row.state(), row.leftNanos())) {
                    return recorded(key, digest, row);
                }
                if (row != null) {
                    table.deleteIfSame(connection, key, row.version());
                }
                connection.commit();
            }
            throw new SQLException(
                    "the key \"" + Text.printable(key) + "\" changed " + TRIES + " times while it was claimed");
        } catch (SQLException thrown) {
            if (!claimed && isLockTimeout(thrown)) { // later on it is a lock of the work
                throw refusal(key, Reason.IN_PROGRESS, "another call is still in progress", thrown);
            }
            throw thrown;
        } finally {
            giveBack(connection, ended, committed);
        }
    }

    private void write(Connection connection, String key, String owner, T result) throws SQLException {
        byte[] payload =
                result == null ? null : Require.nonNull(table.subject() + ": bytes of a result", codec.encode(result));
        if (!table.settle(connection, key, owner, KeyTable.RESULT, table.keepNanos, payload)) {
            throw new IllegalStateException(table.subject() + ": the operation for key \"" + Text.printable(key)
                    + "\" must not end its transaction, but has rolled back: what it did after that is undone as well");
        }
    }

    private boolean insert(Connection connection, String key, String digest, String owner) throws SQLException {
        try {
            // No other transaction sees this state, unless the work commits before its result is there.
            return table.insert(connection, key, digest, KeyTable.UNKNOWN, owner, table.keepNanos);
        } catch (SQLException thrown) {
            if (!KeyTable.isDuplicate(thrown)) {
                throw thrown;
            }
            connection.rollback(); // in PostgreSQL nothing else is possible after an error
            return false;
        }
    }

    private T recorded(String key, String digest, KeyTable.Row row) {
        if (!row.fingerprint().equals(digest)) {
            throw new FingerprintMismatchException(table.scope, key);
        }
        byte[] payload = row.payload();
        return switch (row.state()) {
            case KeyTable.RESULT -> payload == null ? Unchecked.<T>nullable(null) : codec.decode(payload);
            case KeyTable.RUNNING, KeyTable.CHECKING ->
                throw refusal(key, Reason.IN_PROGRESS, "another call is in progress, with a lease", null);
            default ->
                throw refusal(
                        key,
                        Reason.UNKNOWN_OUTCOME,
                        "how it ended is not known: it was not run in a transaction, or committed before its end",
                        null);
        };
    }

    /**
     * Rolls back what has not ended: a connection that is closed with an open transaction may be committed by its
     * driver.
     */
    private static void giveBack(Connection connection, boolean ended, boolean committed) {
        boolean clean = ended || Connections.rollBack(connection);
        Connections.giveBack(connection, clean && committed, true);
    }

    private static boolean isLockTimeout(SQLException thrown) {
        String state = thrown.getSQLState();
        return "55P03".equals(state) || "HYT00".equals(state);
    }

    private IdempotencyRefusedException refusal(
            String key, Reason reason, String explanation, @Nullable Throwable cause) {
        return new IdempotencyRefusedException(table.scope, key, reason, explanation, RefusedException.UNKNOWN, cause);
    }

    @Override
    public String toString() {
        return "transactional idempotency in " + table;
    }
}
