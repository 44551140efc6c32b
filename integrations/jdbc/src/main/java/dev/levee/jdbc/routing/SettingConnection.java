package dev.levee.jdbc.routing;

import dev.levee.jdbc.routing.ConnectionDefaults.PoolSettings;
import java.sql.Connection;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Settings of a connection: kept for each physical one that it takes, and set at the one that it has. See ADR 206. */
abstract class SettingConnection extends ForwardingConnection {
    final WantedSettings wanted = new WantedSettings();

    /** Returns the physical connection, or null if none was taken. */
    abstract @Nullable PhysicalConnection current() throws SQLException;

    /** Returns the physical connection, of which one is taken if there is none, for a call of the driver. */
    abstract PhysicalConnection taken() throws SQLException;

    /** Returns how connections come; null if that is not known. */
    abstract @Nullable PoolSettings defaults() throws SQLException;

    /** Ends a transaction that the driver may have begun for itself, if there is none of the caller. */
    abstract void endAsked(PhysicalConnection of) throws SQLException;

    /** Returns that of the physical connection, or what was set, or how connections come. */
    private <T extends @Nullable Object> T setting(
            @Nullable T asked, @Nullable Function<PoolSettings, T> usual, Maker<T> actual) throws SQLException {
        if (current() == null) {
            if (asked != null) {
                return asked;
            }
            PoolSettings known = usual == null ? null : defaults();
            if (usual != null && known != null) {
                return usual.apply(known);
            }
        }
        return actual.make(use());
    }

    @Override
    public void setTransactionIsolation(int level) throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            endAsked(now);
            now.setIsolation(level);
        }
        wanted.isolation = level;
    }

    @Override
    public int getTransactionIsolation() throws SQLException {
        return setting(wanted.isolation, PoolSettings::isolation, Connection::getTransactionIsolation);
    }

    @Override
    public void setHoldability(int value) throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            now.setHoldability(value);
        }
        wanted.holdability = value;
    }

    @Override
    public int getHoldability() throws SQLException {
        return setting(wanted.holdability, PoolSettings::holdability, Connection::getHoldability);
    }

    @Override
    public void setCatalog(String value) throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            now.setCatalog(value);
        }
        wanted.catalog = value;
    }

    @Override
    public @Nullable String getCatalog() throws SQLException {
        return setting(wanted.catalog, PoolSettings::catalog, Connection::getCatalog);
    }

    @Override
    public void setSchema(String value) throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            now.setSchema(value);
        }
        wanted.schema = value;
    }

    @Override
    public @Nullable String getSchema() throws SQLException {
        return setting(wanted.schema, PoolSettings::schema, Connection::getSchema);
    }

    @Override
    public void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            now.setNetworkTimeout(executor, milliseconds);
        }
        wanted.setNetworkTimeout(executor, milliseconds);
    }

    @Override
    public int getNetworkTimeout() throws SQLException {
        return setting(wanted.networkTimeout(), null, Connection::getNetworkTimeout);
    }

    /** Is set at once, not kept: few drivers know it. */
    @Override
    public void setTypeMap(Map<String, Class<?>> map) throws SQLException {
        taken().setTypeMap(map);
        wanted.typeMap = map == null ? Map.of() : new HashMap<>(map);
    }

    /** Is set at once, not kept: few drivers know all of it. */
    @Override
    public void setClientInfo(String name, String value) throws SQLClientInfoException {
        setInfo(() -> {
            taken().setClientInfo(name, value);
            wanted.clientInfo.set(name, value);
        });
    }

    @Override
    public void setClientInfo(Properties properties) throws SQLClientInfoException {
        setInfo(() -> {
            taken().setClientInfo(properties);
            wanted.clientInfo.setAll(properties);
        });
    }
}
