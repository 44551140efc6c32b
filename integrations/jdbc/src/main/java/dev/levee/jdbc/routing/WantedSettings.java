package dev.levee.jdbc.routing;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What was set at a connection, for each physical one that it takes; null where nothing was. */
final class WantedSettings {
    @Nullable Boolean autoCommit;

    @Nullable Integer isolation;

    @Nullable Integer holdability;

    @Nullable String catalog;

    @Nullable String schema;

    @Nullable Map<String, Class<?>> typeMap;

    final ClientInfo clientInfo = new ClientInfo();

    private @Nullable NetworkTimeout networkTimeout;

    private record NetworkTimeout(Executor executor, int milliseconds) {}

    boolean isSerializable() {
        return isolation != null && isolation == Connection.TRANSACTION_SERIALIZABLE;
    }

    /** Keeps how many milliseconds the driver may wait for the server. */
    void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
        if (milliseconds < 0) {
            throw new SQLException("milliseconds must be at least 0, but was " + milliseconds);
        }
        networkTimeout = new NetworkTimeout(executor, milliseconds);
    }

    @Nullable Integer networkTimeout() {
        return networkTimeout == null ? null : networkTimeout.milliseconds;
    }

    /** Sets the same at a physical connection; the mode of commits last, so that nothing begins a transaction. */
    void apply(PhysicalConnection to) throws SQLException {
        if (isolation != null) {
            to.setIsolation(isolation);
        }
        if (holdability != null) {
            to.setHoldability(holdability);
        }
        if (catalog != null) {
            to.setCatalog(catalog);
        }
        if (schema != null) {
            to.setSchema(schema);
        }
        if (networkTimeout != null) {
            to.setNetworkTimeout(networkTimeout.executor, networkTimeout.milliseconds);
        }
        if (typeMap != null) {
            to.setTypeMap(typeMap);
        }
        clientInfo.apply(to);
        if (autoCommit != null) {
            to.setAutoCommit(autoCommit);
        }
        if (catalog != null || schema != null || clientInfo.isSet()) {
            to.keepSettings();
        }
    }
}
