package dev.levee.jdbc.store;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.BatchStore;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import dev.levee.jdbc.store.StoreSession.SessionBody;
import dev.levee.jdbc.store.StoreSession.StoreUse;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes the values behind a cache in a table of a database: one row for each key.
 *
 * <pre>{@code
 * JdbcStore<String, Link> links = JdbcStore.of("links", dataSource, c -> c
 *         .table("links")
 *         .key("id", "VARCHAR(64)", String.class)
 *         .value("url", "VARCHAR(2048)", Link::url)
 *         .readValue(row -> new Link(row.getString("url"))));
 * Cache<String, Link> cache = Cache.over("links", links, c -> c.writeThrough());
 * WriteBehind<String, Link> behind = WriteBehind.batching("links", links, c -> {});
 * }</pre>
 *
 * <p>Use it where a table is a map from keys to values. Not for statements over several tables, or for a part of a row
 * that others write: that is a {@link Store} of your own. H2, PostgreSQL, and MySQL and MariaDB (whose SQL is tested as
 * text only).
 *
 * <p><b>Failures</b> are {@link JdbcStoreException}s, whose {@link JdbcStoreException#mayHaveWritten} says whether the
 * table may have been changed. There was certainly nothing written if no connection could be had, if the database has
 * answered with an error, and if a transaction was lost before its commit; a commit that fails without an answer, and a
 * lost connection in a statement that commits by itself, are not known. What the functions of the settings throw comes
 * out as it is. Nothing is repeated, but for transactions that the database has rolled back because of others
 * (deadlocks), five times.
 *
 * <p><b>Deadlines.</b> At the deadline of the {@code CallContext} a statement that runs is cancelled, and a second
 * later a connection that does not answer is given up, if the driver can do that. A deadline that has passed is refused
 * before a connection is taken. The wait for a connection is bounded by the pool alone. An interrupt does not end a
 * statement: JDBC does not see it.
 *
 * <p><b>Transactions.</b> Without more, each call is a transaction of its own, and so is each batch. Connections that
 * come without auto-commit are refused unless {@link JdbcStoreConfig.Builder#transactions} says whose they are. In a
 * transaction of the caller a value is there for others only after its commit, so no cache must keep it before.
 *
 * <p>Thread-safe; blocks on the database. Each call takes one connection and gives it back. See ADR 154.
 *
 * @param <K> the keys
 * @param <V> the values; never null
 * @since 0.1
 */
public final class JdbcStore<K, V> implements Store<K, V>, BatchStore<K, V>, BulkLoader<K, V> {
    private static final int MAX_KEYS_AT_ONCE = 512;
    private static final int TRIES = 3;

    private final JdbcStoreConfig<K, V> config;
    private final StoreSession.Site site;
    private final List<Policy> guards;

    /** Null until the table was checked. Written by any thread, always to the same. */
    private volatile @Nullable StoreSql sql;

    private JdbcStore(JdbcStoreConfig<K, V> config, StoreSession.Site site, List<Policy> guards) {
        this.config = config;
        this.site = site;
        this.guards = guards;
    }

    /**
     * Makes a store. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param configure sets table and columns
     * @param <K> the keys
     * @param <V> the values
     * @return the store
     * @throws NullPointerException if an argument is null, or a setting that is needed is missing
     * @throws IllegalArgumentException if the name is blank, or a setting is out of its range
     */
    public static <K, V> JdbcStore<K, V> of(
            String name, DataSource dataSource, Consumer<? super JdbcStoreConfig.Builder<K, V>> configure) {
        return of(name, dataSource, configure, Environment.system());
    }

    /**
     * Makes a store. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param configure sets table and columns
     * @param environment gives the timers of deadlines, and the executor on which statements are cancelled
     * @param <K> the keys
     * @param <V> the values
     * @return the store
     * @throws NullPointerException if an argument is null, or a setting that is needed is missing
     * @throws IllegalArgumentException if the name is blank, or a setting is out of its range
     */
    public static <K, V> JdbcStore<K, V> of(
            String name,
            DataSource dataSource,
            Consumer<? super JdbcStoreConfig.Builder<K, V>> configure,
            Environment environment) {
        JdbcStoreConfig<K, V> config = Require.configured(
                "store", name, JdbcStoreConfig.<K, V>builder(), configure, JdbcStoreConfig.Builder::build);
        return of(name, dataSource, config, environment);
    }

    /**
     * Makes a store. Does not connect.
     *
     * @param name names it in messages
     * @param dataSource the source of connections; best a pool
     * @param config table and columns
     * @param environment gives the timers of deadlines, and the executor on which statements are cancelled
     * @param <K> the keys
     * @param <V> the values
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static <K, V> JdbcStore<K, V> of(
            String name, DataSource dataSource, JdbcStoreConfig<K, V> config, Environment environment) {
        StoreSession.Site site = new StoreSession.Site(
                Require.name(name),
                Require.nonNull("dataSource", dataSource),
                Require.nonNull("config", config).transactions,
                Require.nonNull("environment", environment));
        return new JdbcStore<>(config, site, List.of());
    }

    /**
     * Returns the statement that makes the table if it is not there.
     *
     * @param dialect that of the database
     * @return DDL
     * @throws NullPointerException if it is null
     */
    public String schema(SqlDialect dialect) {
        return StoreSql.schema(config, Require.nonNull("dialect", dialect));
    }

    /**
     * Checks that the table is there and has the columns, and a unique index on exactly those of the key, without which
     * two writers make two rows. Call it at start; otherwise the first call does it. Reads what the database says of
     * itself, and writes nothing.
     *
     * @throws JdbcStoreException if the database cannot be asked
     * @throws IllegalStateException if something is missing; the message says what, and the statement that makes it
     * @throws IllegalArgumentException if it is another database, and no dialect is set
     */
    public void check() throws JdbcStoreException {
        call(StoreUse.READ, "check the table", session -> {
            checked(session, true);
            return Unchecked.nullable(null);
        });
    }

    private StoreSql checked(StoreSession session, boolean always) throws SQLException {
        StoreSql known = sql;
        if (known == null || always) {
            SqlDialect dialect = config.dialect == null ? SqlDialect.of(session.connection()) : config.dialect;
            known = new StoreSql(config, dialect);
            List<String> problems =
                    always || config.checked ? TableCheck.problems(config, known, session.connection()) : List.of();
            if (!problems.isEmpty()) {
                throw new IllegalStateException(site.subject() + ": " + String.join("; ", problems));
            }
            sql = known;
        }
        return known;
    }

    private <R extends @Nullable Object> R call(StoreUse use, String what, SessionBody<R> body)
            throws JdbcStoreException {
        return StoreSession.call(site, use, what, body);
    }

    private <R extends @Nullable Object> R guarded(Operation<R, JdbcStoreException> operation)
            throws JdbcStoreException {
        Operation<R, JdbcStoreException> outer = operation;
        for (Policy guard : guards) {
            Operation<R, JdbcStoreException> inner = outer;
            outer = () -> guard.call(inner);
        }
        return outer.run();
    }

    /**
     * Reads one value.
     *
     * @param key not null
     * @return the value, or null if there is no row
     * @throws NullPointerException if the key or a part of it is null
     * @throws JdbcStoreException if the database failed
     * @throws IllegalStateException if the table is not as expected, or a row was read as null
     */
    @Override
    public @Nullable V load(K key) throws JdbcStoreException {
        List<Object> parts = RowParts.ofKey(config, key);
        return guarded(() -> call(StoreUse.READ, "load", session -> Unchecked.<V>nullable(load(session, parts))));
    }

    private @Nullable V load(StoreSession session, List<Object> parts) throws SQLException {
        StoreSql known = checked(session, false);
        return session.execute(known.select, statement -> {
            RowParts.set(statement, parts);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return Unchecked.<V>nullable(null);
                }
                V value = value(rows);
                if (rows.next()) {
                    throw new IllegalStateException(
                            site.subject() + ": there are several rows of one key, so its index is not unique");
                }
                return value;
            }
        });
    }

    private V value(ResultSet row) throws SQLException {
        V value = config.readValue.read(row);
        if (value == null) {
            throw new IllegalStateException(site.subject() + ": a row was read as null");
        }
        return value;
    }

    /**
     * Reads the version of a row.
     *
     * @param key not null
     * @return the version; empty if there is no row
     * @throws NullPointerException if the key or a part of it is null
     * @throws JdbcStoreException if the database failed
     * @throws IllegalStateException if the store has no versions, or the table is not as expected
     */
    public OptionalLong version(K key) throws JdbcStoreException {
        if (config.version == null) {
            throw new IllegalStateException(site.subject() + " has no versions");
        }
        List<Object> parts = RowParts.ofKey(config, key);
        return guarded(() -> call(StoreUse.READ, "read the version", session -> {
            Long version = TableWrites.version(session, checked(session, false), parts);
            return version == null ? OptionalLong.empty() : OptionalLong.of(version);
        }));
    }

    /**
     * Reads the values of keys, of up to 512 by one statement. A row that cannot be read fails for itself. Several
     * statements are not one moment of the table.
     *
     * @param keys any number
     * @return the values of those that have a row
     * @throws NullPointerException if the keys, one of them or a part of it is null
     * @throws JdbcStoreException if the database failed
     * @throws PartialLoadException if some rows could not be read
     * @throws IllegalStateException if the table is not as expected
     */
    @Override
    public Map<K, V> loadAll(Set<K> keys) throws JdbcStoreException {
        Map<K, List<Object>> asked = new LinkedHashMap<>();
        for (K key : Require.nonNull("keys", keys)) {
            asked.put(key, RowParts.ofKey(config, key));
        }
        if (asked.isEmpty()) {
            return Map.of();
        }
        return guarded(() -> {
            Map<K, V> values = new LinkedHashMap<>();
            Map<K, Throwable> failures = new LinkedHashMap<>();
            call(StoreUse.READ, "load " + asked.size() + " keys", session -> {
                values.clear();
                failures.clear();
                List<K> all = List.copyOf(asked.keySet());
                for (int from = 0; from < all.size(); from += MAX_KEYS_AT_ONCE) {
                    List<K> some = all.subList(from, Math.min(from + MAX_KEYS_AT_ONCE, all.size()));
                    loadSome(session, some, asked, values, failures);
                }
                return Unchecked.nullable(null);
            });
            if (!failures.isEmpty()) {
                throw new PartialLoadException(values, failures);
            }
            return values;
        });
    }

    private void loadSome(
            StoreSession session,
            List<K> keys,
            Map<K, List<Object>> asked,
            Map<K, V> values,
            Map<K, Throwable> failures)
            throws SQLException {
        StoreSql known = checked(session, false);
        // A power of two, so that there are few different statements: the last key fills up.
        int size = keys.size() == 1 ? 1 : Integer.highestOneBit(keys.size() - 1) << 1;
        List<Object> parts = new ArrayList<>(size * config.keys.size());
        for (int index = 0; index < size; index++) {
            parts.addAll(asked.get(keys.get(Math.min(index, keys.size() - 1))));
        }
        Set<K> missing = new LinkedHashSet<>(keys);
        boolean others = session.execute(known.selectMany(size), statement -> {
            RowParts.set(statement, parts);
            boolean unknown = false;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    K key = config.readKey.read(rows);
                    if (missing.remove(key)) {
                        put(key, () -> value(rows), values, failures);
                    } else {
                        unknown = true;
                    }
                }
            }
            return unknown;
        });
        if (others) {
            // The database calls keys equal that are not, by their case or blanks: each is asked for by itself then.
            for (K key : missing) {
                put(key, () -> load(session, RowParts.ofKey(config, key)), values, failures);
            }
        }
    }

    private interface RowReading<V> {
        @Nullable V read() throws SQLException;
    }

    private void put(K key, RowReading<? extends V> reading, Map<K, V> values, Map<K, Throwable> failures)
            throws SQLException {
        try {
            V value = reading.read();
            if (value != null) {
                values.put(key, value);
            }
        } catch (SQLException broken) {
            if (!StoreSession.isOfRow(broken)) {
                throw broken;
            }
            failures.put(key, new JdbcStoreException(site.subject(), "read a row", broken, false));
        } catch (RuntimeException broken) {
            failures.put(key, broken);
        }
    }

    /**
     * Writes one row, and replaces the one that may be there.
     *
     * @param key not null
     * @param value not null
     * @throws NullPointerException if the key, a part of it or the value is null
     * @throws StaleVersionException if the row has a version that is not lower
     * @throws JdbcStoreException if the database failed
     * @throws IllegalStateException if the table is not as expected
     */
    @Override
    public void save(K key, V value) throws JdbcStoreException {
        RowParts<V> row = RowParts.of(config, key, Require.nonNull("value", value));
        guarded(() -> call(StoreUse.WRITE, "save", session -> {
            writes(session).save(row);
            return Unchecked.nullable(null);
        }));
    }

    /**
     * Removes the row of a key, whatever its version.
     *
     * @param key not null
     * @throws NullPointerException if the key or a part of it is null
     * @throws JdbcStoreException if the database failed
     * @throws IllegalStateException if the table is not as expected
     */
    @Override
    public void delete(K key) throws JdbcStoreException {
        RowParts<V> row = RowParts.of(config, key, null);
        guarded(() -> call(StoreUse.WRITE, "delete", session -> {
            writes(session).delete(row);
            return Unchecked.nullable(null);
        }));
    }

    /**
     * Writes a batch in one transaction: those that can be written are, and of each other one it is known that it was
     * not. Rows are written in an order that is the same for all batches, so that two do not wait for each other.
     *
     * @param batch no two of the same key
     * @return the failures of the keys that were certainly not written; empty if all were
     * @throws NullPointerException if the batch is null
     * @throws JdbcStoreException if nothing was written for certain, or, if {@link JdbcStoreException#mayHaveWritten},
     *     it is not known
     * @throws IllegalStateException if the table is not as expected
     */
    @Override
    public Map<K, Throwable> write(List<PendingWrite<K, V>> batch) throws JdbcStoreException {
        Map<K, Throwable> unwritable = new LinkedHashMap<>();
        Map<RowParts<V>, K> rows = new LinkedHashMap<>();
        for (PendingWrite<K, V> write : Require.nonNull("batch", batch)) {
            try {
                rows.put(RowParts.of(config, write.key(), write.value()), write.key());
            } catch (RuntimeException broken) {
                unwritable.put(write.key(), broken);
            }
        }
        if (rows.isEmpty()) {
            return unwritable;
        }
        List<RowParts<V>> sorted = rows.keySet().stream().sorted(RowParts.ORDER).toList();
        return guarded(() -> call(StoreUse.WRITE_TOGETHER, "write " + rows.size() + " keys", session -> {
            Map<K, Throwable> failures = new LinkedHashMap<>(unwritable);
            writes(session).writeAll(sorted).forEach((row, failure) -> failures.put(rows.get(row), failure));
            return failures;
        }));
    }

    private TableWrites<K, V> writes(StoreSession session) throws SQLException {
        return new TableWrites<>(site.subject(), config, checked(session, false), session, TRIES, this::load);
    }

    /**
     * Returns this store with a policy around each of its calls but {@link #check}.
     *
     * @param policy what stands around the calls: a timeout, a breaker, a limiter, a bulkhead, or a pipeline of them
     * @return the guarded store; what the policy refuses is thrown as it is
     * @throws NullPointerException if the policy is null
     */
    @Override
    public JdbcStore<K, V> guardedBy(Policy policy) {
        List<Policy> all = new ArrayList<>(guards);
        all.add(Require.nonNull("policy", policy));
        return new JdbcStore<>(config, site, List.copyOf(all));
    }

    static <T> String joined(String separator, List<T> parts, Function<T, String> text) {
        return parts.stream().map(text).collect(Collectors.joining(separator));
    }

    @Override
    public String toString() {
        return site.subject() + " in " + config;
    }
}
