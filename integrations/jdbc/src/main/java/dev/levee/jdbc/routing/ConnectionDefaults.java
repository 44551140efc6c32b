package dev.levee.jdbc.routing;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** How connections come from the pools, for those that ask before a node is chosen. Learnt from the first one. */
final class ConnectionDefaults {
    /**
     * The settings of a connection.
     *
     * @param autoCommit whether it commits each statement
     * @param isolation the level
     * @param holdability of cursors
     * @param catalog the catalog
     * @param schema the schema
     */
    record PoolSettings(
            boolean autoCommit,
            int isolation,
            int holdability,
            @Nullable String catalog,
            @Nullable String schema) {}

    private volatile @Nullable PoolSettings settings;

    /** Returns them; null if no node has been reached yet. */
    @Nullable PoolSettings settings() {
        return settings;
    }

    void learn(Connection connection) throws SQLException {
        if (settings == null) {
            boolean autoCommit = connection.getAutoCommit();
            PoolSettings learnt = new PoolSettings(
                    autoCommit,
                    connection.getTransactionIsolation(),
                    connection.getHoldability(),
                    connection.getCatalog(),
                    connection.getSchema());
            if (!autoCommit) {
                connection.rollback(); // some drivers ask the server
            }
            settings = learnt;
        }
    }
}
