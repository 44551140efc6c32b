package dev.levee.jdbc.store;

/**
 * Whose transactions a {@link JdbcStore} writes in, where a connection comes without auto-commit.
 *
 * @since 0.1
 */
public enum StoreTransactions {
    /**
     * Its own: it commits what it has done before it gives the connection back. For a pool that switches auto-commit
     * off. Never for a data source that takes part in transactions of its callers: they would be committed too early.
     */
    OWN,

    /**
     * That of the caller: it neither commits nor rolls back, and what it wrote is there when the caller commits. For a
     * data source that takes part in transactions, such as Spring's {@code TransactionAwareDataSourceProxy}. A
     * connection that comes with auto-commit is not part of one, and is used as {@link #OWN} does.
     */
    JOIN
}
