package dev.levee.jdbc.store;

import dev.levee.core.internal.Require;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is to be written of one key, taken apart into columns before there is a connection. Compared by identity. */
final class RowParts<V> {
    /** An order of keys that is the same in every process, whatever their type. */
    static final Comparator<RowParts<?>> ORDER = Comparator.comparing(RowParts::order);

    final List<Object> key;

    /** Null to delete the row. */
    final @Nullable V value;

    final List<@Nullable Object> values;
    final long version;

    private RowParts(List<Object> key, @Nullable V value, List<@Nullable Object> values, long version) {
        this.key = key;
        this.value = value;
        this.values = values;
        this.version = version;
    }

    static <K, V> RowParts<V> of(JdbcStoreConfig<K, V> config, K key, @Nullable V value) {
        List<@Nullable Object> values = new ArrayList<>();
        long version = 0;
        if (value != null) {
            for (StoreColumn<V> column : config.values) {
                values.add(column.part().apply(value));
            }
            version = config.versionOf == null ? 0 : config.versionOf.applyAsLong(value);
        }
        return new RowParts<>(ofKey(config, key), value, values, version);
    }

    static <K> List<Object> ofKey(JdbcStoreConfig<K, ?> config, K key) {
        Require.nonNull("key", key);
        List<Object> parts = new ArrayList<>(config.keys.size());
        for (StoreColumn<K> column : config.keys) {
            parts.add(Require.nonNull(
                    "column " + column.name() + " of a key", column.part().apply(key)));
        }
        return parts;
    }

    static void set(PreparedStatement statement, List<? extends @Nullable Object> parts) throws SQLException {
        for (int index = 0; index < parts.size(); index++) {
            statement.setObject(index + 1, parts.get(index));
        }
    }

    private String order() {
        StringBuilder text = new StringBuilder();
        for (Object part : key) {
            text.append(part instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : part.toString())
                    .append('\0');
        }
        return text.toString();
    }
}
