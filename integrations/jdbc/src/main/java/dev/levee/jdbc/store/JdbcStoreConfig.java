package dev.levee.jdbc.store;

import dev.levee.cache.Codec;
import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Which table and columns a {@link JdbcStore} reads and writes. Immutable.
 *
 * <pre>{@code
 * JdbcStoreConfig.<String, Link>builder()
 *         .table("links")
 *         .key("id", "VARCHAR(64)", String.class)
 *         .value("url", "VARCHAR(2048)", Link::url)
 *         .value("clicks", "BIGINT", Link::clicks)
 *         .readValue(row -> new Link(row.getString("url"), row.getLong("clicks")))
 *         .build();
 * }</pre>
 *
 * <p><b>Names</b> are plain SQL names (letters, digits, underscores; the table may have its schema in front, with a
 * point), which are written as they are; or they stand in double quotes, {@code "\"Order\""}, and are quoted. Anything
 * else is refused, so that no name can bring in SQL. Keys and values are parameters of prepared statements.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class JdbcStoreConfig<K, V> {
    final List<SqlName> table;
    final List<StoreColumn<K>> keys;
    final List<StoreColumn<V>> values;
    final RowReader<? extends K> readKey;
    final RowReader<? extends V> readValue;
    final @Nullable StoreColumn<V> version;
    final @Nullable ToLongFunction<? super V> versionOf;
    final @Nullable SqlDialect dialect;
    final @Nullable StoreTransactions transactions;
    final boolean checked;

    private JdbcStoreConfig(Builder<K, V> builder) {
        if (builder.table.isEmpty()) {
            throw new IllegalArgumentException("table must be set");
        }
        if (builder.keys.isEmpty() || builder.values.isEmpty()) {
            throw new IllegalArgumentException("at least one column of the key and one of the value must be set");
        }
        table = List.copyOf(builder.table);
        keys = List.copyOf(builder.keys);
        values = List.copyOf(builder.values);
        readKey = set("readKey", builder.readKey);
        readValue = set("readValue", builder.readValue);
        version = builder.version;
        versionOf = builder.versionOf;
        dialect = builder.dialect;
        transactions = builder.transactions;
        checked = builder.checked;
        List<String> names = new ArrayList<>();
        keys.forEach(column -> names.add(column.name().toString()));
        values.forEach(column -> names.add(column.name().toString()));
        if (version != null) {
            names.add(version.name().toString());
        }
        if (names.stream().distinct().count() < names.size()) {
            throw new IllegalArgumentException("columns must differ, but were " + names);
        }
    }

    private static <T> T set(String name, @Nullable T value) {
        if (value == null) {
            throw new NullPointerException(name);
        }
        return value;
    }

    /**
     * Starts without a table and columns.
     *
     * @param <K> the keys
     * @param <V> the values
     * @return a builder; not thread-safe
     */
    public static <K, V> Builder<K, V> builder() {
        return new Builder<>();
    }

    @Override
    public String toString() {
        return "table " + JdbcStore.joined(".", table, SqlName::toString);
    }

    /**
     * Sets what a {@link JdbcStoreConfig} holds.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> {
        private List<SqlName> table = List.of();
        private final List<StoreColumn<K>> keys = new ArrayList<>();
        private final List<StoreColumn<V>> values = new ArrayList<>();
        private @Nullable RowReader<? extends K> readKey;
        private @Nullable RowReader<? extends V> readValue;
        private @Nullable StoreColumn<V> version;
        private @Nullable ToLongFunction<? super V> versionOf;
        private @Nullable SqlDialect dialect;
        private @Nullable StoreTransactions transactions;
        private boolean checked = true;

        private Builder() {}

        /**
         * Sets the table. Has no default.
         *
         * @param name its name, with its schema if need be: {@code links}, {@code app.links}, {@code "\"Links\""}
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is no name
         */
        public Builder<K, V> table(String name) {
            int point = Require.nonNull("table", name).indexOf('.');
            table = point < 0 || name.startsWith("\"")
                    ? List.of(SqlName.of("table", name))
                    : List.of(
                            SqlName.of("schema", name.substring(0, point)),
                            SqlName.of("table", name.substring(point + 1)));
            return this;
        }

        /**
         * Sets the one column of keys that are of a type which the driver reads and writes by itself, such as
         * {@code String}, {@code Long} or {@code UUID}.
         *
         * @param column the name of the column
         * @param type its type for {@link JdbcStore#schema}, such as {@code VARCHAR(64)}
         * @param keyType the class of the keys
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name or type is not one
         */
        public Builder<K, V> key(String column, String type, Class<K> keyType) {
            Require.nonNull("keyType", keyType);
            String label = SqlName.of("column", column).text();
            readKey = row -> row.getObject(label, keyType);
            return key(column, type, key -> key);
        }

        /**
         * Adds a column of the key; needs {@link #readKey}. All of them together must have a unique index.
         *
         * @param column the name of the column
         * @param type its type for {@link JdbcStore#schema}
         * @param part what a key has there, as the driver takes it; never null
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name or type is not one
         */
        public Builder<K, V> key(String column, String type, Function<? super K, ?> part) {
            keys.add(column(column, SqlName.type(column, type), part));
            return this;
        }

        /**
         * Sets how a key is read, for loads of many keys.
         *
         * @param reader reads the columns of the key
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> readKey(RowReader<? extends K> reader) {
            readKey = Require.nonNull("readKey", reader);
            return this;
        }

        /**
         * Sets the one column of values that are of a type which the driver reads and writes by itself.
         *
         * @param column the name of the column
         * @param type its type for {@link JdbcStore#schema}
         * @param valueType the class of the values
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name or type is not one
         */
        public Builder<K, V> value(String column, String type, Class<V> valueType) {
            Require.nonNull("valueType", valueType);
            String label = SqlName.of("column", column).text();
            readValue = row -> row.getObject(label, valueType);
            return value(column, type, value -> value);
        }

        /**
         * Sets the one column of values that are kept as bytes.
         *
         * @param column the name of the column; of the type {@code BYTEA}, in H2 {@code BLOB}, in MySQL
         *     {@code LONGBLOB}
         * @param codec writes and reads the bytes
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name is not one
         */
        public Builder<K, V> value(String column, Codec<V> codec) {
            Require.nonNull("codec", codec);
            String label = SqlName.of("column", column).text();
            readValue = row -> codec.decode(Require.nonNull("bytes of column " + label, row.getBytes(label)));
            values.add(column(column, "", codec::encode));
            return this;
        }

        /**
         * Adds a column of the value; needs {@link #readValue}.
         *
         * @param column the name of the column
         * @param type its type for {@link JdbcStore#schema}
         * @param part what a value has there, as the driver takes it; null is written as NULL
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name or type is not one
         */
        public Builder<K, V> value(String column, String type, Function<? super V, ? extends @Nullable Object> part) {
            values.add(column(column, SqlName.type(column, type), part));
            return this;
        }

        /**
         * Sets how a value is read.
         *
         * @param reader reads the columns of the value, and of the version
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> readValue(RowReader<? extends V> reader) {
            readValue = Require.nonNull("readValue", reader);
            return this;
        }

        /**
         * Sets a column with the version of the value: a value is saved only if its version is higher than that of the
         * row, or there is no row; otherwise the save fails with a {@link StaleVersionException}. A value that equals
         * the one in the row has been saved already, so a repeat is no failure. Default: none, the last write counts.
         *
         * @param column the name of the column, of type {@code BIGINT}
         * @param versionOf the version that a value has
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name is not one
         */
        public Builder<K, V> version(String column, ToLongFunction<? super V> versionOf) {
            this.versionOf = Require.nonNull("versionOf", versionOf);
            version = column(column, "BIGINT NOT NULL", versionOf::applyAsLong);
            return this;
        }

        /**
         * Sets the dialect. Default: that of the database, as {@link SqlDialect#of} says.
         *
         * @param value the dialect
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> dialect(SqlDialect value) {
            dialect = Require.nonNull("dialect", value);
            return this;
        }

        /**
         * Sets whose transactions are written in. Default: a connection that comes with auto-commit is used in a
         * transaction of its own; one that comes without is refused, because it is not known whose it is.
         *
         * @param value whose
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> transactions(StoreTransactions value) {
            transactions = Require.nonNull("transactions", value);
            return this;
        }

        /**
         * Does not {@linkplain JdbcStore#check check} the table before it is used first: for a view with triggers, or
         * where the database does not tell its indexes. Default: it is checked.
         *
         * @return this
         */
        public Builder<K, V> unchecked() {
            checked = false;
            return this;
        }

        private static <T> StoreColumn<T> column(
                String name, String type, Function<? super T, ? extends @Nullable Object> part) {
            return new StoreColumn<>(SqlName.of("column", name), type, Require.nonNull("part", part));
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws NullPointerException if there is no reader of keys or values
         * @throws IllegalArgumentException if the table or a column is missing, or two columns are the same
         */
        public JdbcStoreConfig<K, V> build() {
            return new JdbcStoreConfig<>(this);
        }
    }
}
