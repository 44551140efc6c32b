package dev.levee.jdbc.store;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A column of a table, and what is written there.
 *
 * @param name the name
 * @param type the type as it stands in DDL; empty for the type of bytes of the dialect
 * @param part what a key or a value has there
 * @param <T> the keys or the values
 */
record StoreColumn<T>(SqlName name, String type, Function<? super T, ? extends @Nullable Object> part) {
    String ddl(SqlDialect dialect) {
        return name.sql(dialect) + ' ' + (type.isEmpty() ? dialect.bytes : type);
    }
}
