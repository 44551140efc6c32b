package dev.levee.jdbc;

import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Stores idempotency keys in a table, so that they are known to all processes and survive each of them.
 *
 * <pre>{@code
 * IdempotencyStore<String> store = JdbcIdempotencyStore.of(dataSource, "charges", ResultCodec.text());
 * Idempotency<String> charges = Idempotency.of("charges", store, c -> c.check(key -> payments.find(key)));
 * }</pre>
 *
 * <p><b>What a crash can lose.</b> A key is written before the operation runs and its outcome after it has ended, each
 * committed by itself. A process that dies in between, by {@code kill -9} too, leaves the key in progress; when the
 * lease ends its outcome is unknown, and the {@linkplain dev.levee.core.idempotency.OutcomeCheck check} decides before
 * anything runs again. So nothing runs twice unless the check says so, and nothing that was recorded is lost, as far as
 * the database keeps what it has committed. If the operation writes to the same database
 * {@link TransactionalIdempotency} needs no check, and does it exactly once.
 *
 * <p><b>The database.</b> Plain SQL; tested with H2 and PostgreSQL. {@link #schema} is the table; one table serves many
 * stores, each with its own scope. Time is the database's, so the clocks of the processes do not matter. A call that
 * runs is two statements, a replay two. Expired rows are replaced when their key comes again; call {@link #purge} now
 * and then for the others. Give it the plain data source, not one that joins the transaction of the caller: the claim
 * must be committed before the operation runs.
 *
 * <p>Thread-safe. Blocks on the database; asynchronous calls use the executor for that. Each call takes one connection
 * and gives it back before the operation runs. Each statement is safe to repeat:
 * {@code Retry.of("store").wrap(IdempotencyStore.class, store)}.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public final class JdbcIdempotencyStore<T extends @Nullable Object> implements IdempotencyStore<T> {
    /** The default name of the table. */
    public static final String TABLE = "levee_idempotency";

    private static final Duration KEEP = Duration.ofDays(1);
    private static final int TRIES = 16;

    private final DataSource dataSource;
    private final KeyTable table;
    private final ResultCodec<T> codec;

    private JdbcIdempotencyStore(DataSource dataSource, KeyTable table, ResultCodec<T> codec) {
        this.dataSource = Require.nonNull("dataSource", dataSource);
        this.table = table;
        this.codec = Require.nonNull("codec", codec);
    }

    /**
     * Makes a store in the table {@link #TABLE} that keeps a key for a day after it was recorded.
     *
     * @param dataSource the source of connections; best a pool
     * @param scope separates the keys of this store from others in the table, at most 100 characters
     * @param codec writes and reads results
     * @param <T> the type of the results
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the scope is blank or has a control character or too long
     */
    public static <T extends @Nullable Object> JdbcIdempotencyStore<T> of(
            DataSource dataSource, String scope, ResultCodec<T> codec) {
        return of(dataSource, TABLE, scope, KEEP, codec);
    }

    /**
     * Makes a store.
     *
     * @param dataSource the source of connections; best a pool
     * @param table the name of the table, with its schema if need be
     * @param scope separates the keys of this store from others in the table, at most 100 characters
     * @param keep how long a key is held after it was recorded, or since its outcome is unknown; more than zero
     * @param codec writes and reads results
     * @param <T> the type of the results
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static <T extends @Nullable Object> JdbcIdempotencyStore<T> of(
            DataSource dataSource, String table, String scope, Duration keep, ResultCodec<T> codec) {
        return new JdbcIdempotencyStore<>(dataSource, new KeyTable(table, scope, keep), codec);
    }

    /**
     * Returns the statement that creates the table if it is not there.
     *
     * @param table its name
     * @return SQL for H2 and PostgreSQL; elsewhere {@code BYTEA} may be called {@code BLOB}
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if the name is not a plain one
     */
    public static String schema(String table) {
        return KeyTable.schema(new KeyTable(table, "any", KEEP).name());
    }

    @Override
    public Claim<T> claim(String key, String fingerprint, String owner, long leaseNanos) {
        KeyTable.key(key);
        Require.nonNull("owner", owner);
        String digest = KeyTable.digest(fingerprint);
        return Connections.committing(dataSource, table, "claim", connection -> {
            for (int attempt = 0; attempt < TRIES; attempt++) {
                Claim<T> claim = tryClaim(connection, key, digest, owner, leaseNanos);
                if (claim != null) {
                    return claim;
                }
            }
            throw new SQLException(
                    "the key \"" + Text.printable(key) + "\" changed " + TRIES + " times while it was claimed");
        });
    }

    /** Claims a key; null if another connection changed it meanwhile. */
    private @Nullable Claim<T> tryClaim(Connection connection, String key, String digest, String owner, long leaseNanos)
            throws SQLException {
        if (tryInsert(connection, key, digest, owner, leaseNanos)) {
            return Claim.of(Status.OWNED);
        }
        KeyTable.Row row = table.read(connection, key);
        if (row == null) {
            return null;
        }
        if (table.isOver(row.state(), row.leftNanos())) {
            table.deleteIfSame(connection, key, row.version());
            return null;
        }
        if (!row.fingerprint().equals(digest)) {
            return Claim.of(Status.MISMATCH);
        }
        boolean running = row.state().equals(KeyTable.RUNNING);
        boolean leased = running || row.state().equals(KeyTable.CHECKING);
        if (leased && row.leftNanos() > 0) {
            if (!row.owner().equals(owner)) {
                return Claim.inProgress(row.leftNanos());
            }
            return Claim.of(running ? Status.OWNED : Status.OWNED_UNKNOWN);
        }
        if (row.state().equals(KeyTable.RESULT) || row.state().equals(KeyTable.FAILURE)) {
            return recorded(row);
        }
        return table.takeOver(connection, key, row, owner, leaseNanos) ? Claim.of(Status.OWNED_UNKNOWN) : null;
    }

    private boolean tryInsert(Connection connection, String key, String digest, String owner, long leaseNanos)
            throws SQLException {
        try {
            return table.insert(connection, key, digest, KeyTable.RUNNING, owner, leaseNanos);
        } catch (SQLException thrown) {
            if (KeyTable.isDuplicate(thrown)) {
                return false;
            }
            throw thrown;
        }
    }

    private Claim<T> recorded(KeyTable.Row row) {
        byte[] payload = row.payload();
        if (row.state().equals(KeyTable.RESULT)) {
            return Claim.recorded(payload == null ? null : codec.decode(payload), null);
        }
        return Claim.recorded(
                null,
                Require.nonNull(
                        table.subject() + ": failure that was read",
                        codec.decodeFailure(payload == null ? new byte[0] : payload)));
    }

    @Override
    public boolean renew(String key, String owner, long leaseNanos) {
        KeyTable.key(key);
        return Connections.committing(
                dataSource,
                table,
                "renew",
                connection -> table.settle(connection, key, owner, KeyTable.RUNNING, leaseNanos, null));
    }

    @Override
    public boolean record(String key, String owner, @Nullable T result, @Nullable Throwable failure) {
        KeyTable.key(key);
        String state = failure == null ? KeyTable.RESULT : KeyTable.FAILURE;
        byte[] payload = payload(result, failure);
        return Connections.committing(dataSource, table, "record", connection -> {
            if (table.settle(connection, key, owner, state, table.keepNanos, payload)) {
                return true;
            }
            KeyTable.Row row = table.read(connection, key);
            return row != null
                    && row.owner().equals(owner)
                    && (row.state().equals(KeyTable.RESULT) || row.state().equals(KeyTable.FAILURE));
        });
    }

    /** Returns the bytes; null for a result that is null, and for nothing else. */
    private byte @Nullable [] payload(@Nullable T result, @Nullable Throwable failure) {
        if (failure != null) {
            return Require.nonNull(table.subject() + ": bytes of a failure", codec.encodeFailure(failure));
        }
        return result == null ? null : Require.nonNull(table.subject() + ": bytes of a result", codec.encode(result));
    }

    @Override
    public boolean forget(String key, String owner) {
        KeyTable.key(key);
        return Connections.committing(dataSource, table, "forget", connection -> {
            if (table.delete(connection, key, owner)) {
                return true;
            }
            KeyTable.Row row = table.read(connection, key);
            return row == null || table.isOver(row.state(), row.leftNanos());
        });
    }

    @Override
    public boolean unknown(String key, String owner) {
        KeyTable.key(key);
        return Connections.committing(
                dataSource,
                table,
                "unknown",
                connection -> table.settle(connection, key, owner, KeyTable.UNKNOWN, table.keepNanos, null));
    }

    /**
     * Deletes the rows of this scope that have expired. Reads all rows of the scope; run it by a timer, in one process.
     *
     * @return how many it has deleted
     * @throws UncheckedSqlException if the database failed
     */
    public int purge() {
        return Connections.committing(dataSource, table, "purge", table::purge);
    }

    @Override
    public String toString() {
        return "idempotency keys in " + table;
    }
}
