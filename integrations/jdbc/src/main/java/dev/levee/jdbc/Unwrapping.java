package dev.levee.jdbc;

import java.sql.SQLException;
import java.sql.Wrapper;

/** What a wrapper of JDBC answers when it is asked for what it wraps: itself, what is inside, or what that wraps. */
final class Unwrapping {
    private Unwrapping() {}

    static <T> T unwrap(Class<T> type, Wrapper outside, Wrapper inside) throws SQLException {
        if (type.isInstance(outside)) {
            return type.cast(outside);
        }
        return type.isInstance(inside) ? type.cast(inside) : inside.unwrap(type);
    }

    static boolean isWrapperFor(Class<?> type, Wrapper outside, Wrapper inside) throws SQLException {
        return type.isInstance(outside) || type.isInstance(inside) || inside.isWrapperFor(type);
    }
}
