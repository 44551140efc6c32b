package dev.levee.jdbc.store;

import dev.levee.core.internal.Unchecked;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes rows by the statements of one use of a connection. */
final class TableWrites<K, V> {
    private final String subject;
    private final JdbcStoreConfig<K, V> config;
    private final StoreSql sql;
    private final StoreSession session;
    private final int tries;
    private final RowLoading<V> loading;

    interface RowLoading<V> {
        @Nullable V load(StoreSession session, List<Object> key) throws SQLException;
    }

    TableWrites(
            String subject,
            JdbcStoreConfig<K, V> config,
            StoreSql sql,
            StoreSession session,
            int tries,
            RowLoading<V> loading) {
        this.subject = subject;
        this.config = config;
        this.sql = sql;
        this.session = session;
        this.tries = tries;
        this.loading = loading;
    }

    static @Nullable Long version(StoreSession session, StoreSql sql, List<Object> key) throws SQLException {
        return session.execute(sql.selectVersion, statement -> {
            RowParts.set(statement, key);
            try (ResultSet rows = statement.executeQuery()) {
                return Unchecked.<Long>nullable(rows.next() ? rows.getLong(1) : null);
            }
        });
    }

    void delete(RowParts<V> row) throws SQLException {
        session.execute(sql.delete, statement -> {
            RowParts.set(statement, row.key);
            return statement.executeUpdate();
        });
    }

    void save(RowParts<V> row) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                if (config.version == null) {
                    update(sql.upsert, all(row));
                } else {
                    saveNewer(row);
                }
                return;
            } catch (SQLException thrown) {
                // Elsewhere another connection may have inserted the key meanwhile; PostgreSQL looks itself.
                if (sql.dialect == SqlDialect.POSTGRESQL || attempt == tries || !StoreSession.isDuplicate(thrown)) {
                    throw thrown;
                }
            }
        }
    }

    private void saveNewer(RowParts<V> row) throws SQLException {
        boolean upserts = sql.dialect == SqlDialect.POSTGRESQL;
        if (update(upserts ? sql.upsert : sql.updateNewer, upserts ? all(row) : newer(row)) > 0) {
            return;
        }
        Long stored = version(session, sql, row.key);
        if (stored == null && !upserts) {
            update(sql.insert, all(row));
        } else if (stored == null) {
            throw new SQLException("the row was deleted while it was written", "40001");
        } else if (stored != row.version || !isThere(row)) {
            throw new StaleVersionException(subject, row.version, stored);
        }
    }

    /** Whether the row has what is to be written, by an earlier try of it. */
    private boolean isThere(RowParts<V> row) throws SQLException {
        V value = loading.load(session, row.key);
        return value != null && value.equals(row.value);
    }

    private int update(String statement, List<? extends @Nullable Object> parts) throws SQLException {
        return session.execute(statement, prepared -> {
            RowParts.set(prepared, parts);
            return prepared.executeUpdate();
        });
    }

    private List<@Nullable Object> all(RowParts<V> row) {
        List<@Nullable Object> all = new ArrayList<>(row.key);
        all.addAll(row.values);
        if (config.version != null) {
            all.add(row.version);
        }
        return all;
    }

    private List<@Nullable Object> newer(RowParts<V> row) {
        List<@Nullable Object> all = new ArrayList<>(row.values);
        all.add(row.version);
        all.addAll(row.key);
        all.add(row.version);
        return all;
    }

    /** Writes rows in a transaction; returns the failures of those that the database refuses, and throws any other. */
    Map<RowParts<V>, Throwable> writeAll(List<RowParts<V>> rows) throws SQLException {
        Map<RowParts<V>, Throwable> failures = new LinkedHashMap<>();
        writeAll(rows, failures);
        return failures;
    }

    private void writeAll(List<RowParts<V>> rows, Map<RowParts<V>, Throwable> failures) throws SQLException {
        Savepoint before = session.connection().setSavepoint();
        try {
            if (rows.size() == 1) {
                write(rows.get(0));
            } else {
                writeTogether(rows, failures);
            }
            release(before);
            return;
        } catch (SQLException thrown) {
            if (!(thrown instanceof StaleVersionException) && !StoreSession.isOfRow(thrown)) {
                throw thrown;
            }
            session.connection().rollback(before);
            release(before);
            if (rows.size() == 1) {
                failures.put(
                        rows.get(0),
                        thrown instanceof JdbcStoreException
                                ? thrown
                                : new JdbcStoreException(subject, "write", thrown, false));
                return;
            }
        }
        // One of them cannot be written: it is looked for in halves.
        rows.forEach(failures::remove);
        writeAll(rows.subList(0, rows.size() / 2), failures);
        writeAll(rows.subList(rows.size() / 2, rows.size()), failures);
    }

    private void release(Savepoint before) throws SQLException {
        session.connection().releaseSavepoint(before);
    }

    private void write(RowParts<V> row) throws SQLException {
        if (row.value == null) {
            delete(row);
        } else {
            save(row);
        }
    }

    private void writeTogether(List<RowParts<V>> rows, Map<RowParts<V>, Throwable> failures) throws SQLException {
        List<RowParts<V>> saved = new ArrayList<>();
        List<RowParts<V>> deleted = new ArrayList<>();
        rows.forEach(row -> (row.value == null ? deleted : saved).add(row));
        if (config.version == null) {
            batch(sql.upsert, saved.stream().map(this::all).toList());
        } else if (sql.dialect == SqlDialect.POSTGRESQL) {
            int[] counts = batch(sql.upsert, saved.stream().map(this::all).toList());
            for (int index = 0; index < counts.length; index++) {
                if (counts[index] <= 0) {
                    saveOrNote(saved.get(index), failures);
                }
            }
        } else {
            for (RowParts<V> row : saved) {
                saveOrNote(row, failures);
            }
        }
        batch(sql.delete, deleted.stream().map(row -> row.key).toList());
    }

    private void saveOrNote(RowParts<V> row, Map<RowParts<V>, Throwable> failures) throws SQLException {
        try {
            save(row);
        } catch (StaleVersionException stale) {
            failures.put(row, stale);
        }
    }

    private int[] batch(String statement, List<? extends List<? extends @Nullable Object>> rows) throws SQLException {
        if (rows.isEmpty()) {
            return new int[0];
        }
        return session.execute(statement, prepared -> {
            for (List<? extends @Nullable Object> row : rows) {
                RowParts.set(prepared, row);
                prepared.addBatch();
            }
            return executed(prepared);
        });
    }

    private static int[] executed(PreparedStatement prepared) throws SQLException {
        return prepared.executeBatch();
    }
}
