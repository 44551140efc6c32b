package dev.levee.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Work that is done in one transaction together with the record that it was done; see {@link TransactionalIdempotency}.
 *
 * @param <T> what it returns
 * @param <X> what it throws besides {@code SQLException}
 * @since 0.1
 */
@FunctionalInterface
public interface TransactionalOperation<T extends @Nullable Object, X extends Throwable> {
    /**
     * Does the work.
     *
     * @param connection in a transaction; to be neither committed, rolled back nor closed here
     * @return the result, which may be null
     * @throws X if the work fails; all that it has written is rolled back
     * @throws SQLException if the database fails; likewise
     */
    T run(Connection connection) throws X, SQLException;
}
