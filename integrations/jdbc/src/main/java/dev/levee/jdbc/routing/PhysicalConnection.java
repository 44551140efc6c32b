package dev.levee.jdbc.routing;

import dev.levee.core.Verdict;
import dev.levee.core.internal.SafeLog;
import dev.levee.jdbc.routing.ForwardingConnection.InfoChange;
import dev.levee.loadbalancing.Ticket;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of a node's pool while it is lent: remembers how it came, and gives it back so, exactly once. Changed by
 * the thread that uses the connection; {@link #release} and {@link #abort} by any.
 */
final class PhysicalConnection {
    private static final Logger LOG = LoggerFactory.getLogger(RoutingDataSource.class);

    final DatabaseNode node;
    final Connection connection;

    /** Whether it was taken from the primary, for whatever work; otherwise from a replica. */
    final boolean primary;

    /** Whether it commits each statement now. */
    boolean autoCommit;

    /** Whether it is in the mode in which it is used. */
    boolean fit = true;

    private final boolean autoCommitBefore;
    private final @Nullable Ticket<DatabaseNode> ticket;
    private final AtomicBoolean released = new AtomicBoolean();
    private volatile boolean failed;

    // How it came, where it was changed.

    private @Nullable Boolean readOnlyBefore;
    private @Nullable Integer isolationBefore;
    private @Nullable Integer holdabilityBefore;
    private @Nullable String catalogBefore;
    private @Nullable String schemaBefore;
    private @Nullable Integer networkTimeoutBefore;
    private @Nullable Executor networkTimeoutExecutor;
    private boolean catalogChanged;
    private boolean schemaChanged;
    private @Nullable Map<String, Class<?>> typeMapBefore;
    private @Nullable Properties clientInfoBefore;

    private PhysicalConnection(
            DatabaseNode node,
            Connection connection,
            boolean autoCommit,
            boolean primary,
            @Nullable Ticket<DatabaseNode> ticket) {
        this.node = node;
        this.connection = connection;
        this.autoCommitBefore = autoCommit;
        this.autoCommit = autoCommit;
        this.primary = primary;
        this.ticket = ticket;
    }

    /** Takes a connection from the pool of a node; closes the ticket if that fails. */
    static PhysicalConnection take(DatabaseNode node, boolean primary, @Nullable Ticket<DatabaseNode> ticket)
            throws SQLException {
        Connection connection = null;
        try {
            connection = node.source.getConnection();
            PhysicalConnection taken =
                    new PhysicalConnection(node, connection, connection.getAutoCommit(), primary, ticket);
            node.picks.increment();
            connection = null;
            return taken;
        } catch (Throwable failure) {
            if (ticket != null) {
                ticket.complete(Verdict.FAILURE);
            }
            throw failure;
        } finally {
            if (connection != null) {
                connection.close();
            }
        }
    }

    /** Notes that the node failed, for the strategy. */
    void failed() {
        failed = true;
    }

    void setReadOnly(boolean value) throws SQLException {
        boolean now = connection.isReadOnly();
        if (now != value) {
            if (readOnlyBefore == null) {
                readOnlyBefore = now;
            }
            connection.setReadOnly(value);
        }
    }

    void setAutoCommit(boolean value) throws SQLException {
        if (value != autoCommit) {
            connection.setAutoCommit(value);
            autoCommit = value;
        }
    }

    /**
     * Ends the mode in which each statement is committed. A connection that stays in it would commit what is to be
     * rolled back, so it is not {@link #fit} for anything.
     */
    void commitOnRequest() throws SQLException {
        fit = false;
        setAutoCommit(false);
        fit = true;
    }

    void setIsolation(int value) throws SQLException {
        if (isolationBefore == null) {
            isolationBefore = connection.getTransactionIsolation();
        }
        connection.setTransactionIsolation(value);
    }

    void setHoldability(int value) throws SQLException {
        if (holdabilityBefore == null) {
            holdabilityBefore = connection.getHoldability();
        }
        connection.setHoldability(value);
    }

    void setCatalog(@Nullable String value) throws SQLException {
        if (!catalogChanged) {
            catalogBefore = connection.getCatalog();
            catalogChanged = true;
        }
        connection.setCatalog(value);
    }

    void setSchema(@Nullable String value) throws SQLException {
        if (!schemaChanged) {
            schemaBefore = connection.getSchema();
            schemaChanged = true;
        }
        connection.setSchema(value);
    }

    void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
        if (networkTimeoutBefore == null) {
            networkTimeoutBefore = connection.getNetworkTimeout();
        }
        networkTimeoutExecutor = executor;
        connection.setNetworkTimeout(executor, milliseconds);
    }

    void setTypeMap(@Nullable Map<String, Class<?>> map) throws SQLException {
        Map<String, Class<?>> before = new HashMap<>();
        Map<String, Class<?>> known = connection.getTypeMap(); // some drivers give out the map itself
        if (known != null) {
            before.putAll(known);
        }
        connection.setTypeMap(map);
        if (typeMapBefore == null) {
            typeMapBefore = before;
        }
    }

    void setClientInfo(@Nullable String name, @Nullable String value) throws SQLException {
        setClientInfo(() -> connection.setClientInfo(name, value));
    }

    void setClientInfo(@Nullable Properties properties) throws SQLException {
        setClientInfo(() -> connection.setClientInfo(properties));
    }

    /** Notes what was there, also if the driver takes a part of the new and refuses the rest. */
    private void setClientInfo(InfoChange change) throws SQLException {
        Properties before = clientInfo();
        try {
            change.run();
        } finally {
            if (clientInfoBefore == null && !clientInfo().equals(before)) {
                clientInfoBefore = before;
            }
        }
    }

    private Properties clientInfo() throws SQLException {
        Properties copy = new Properties();
        Properties known = connection.getClientInfo();
        if (known != null) {
            copy.putAll(known);
        }
        return copy;
    }

    /** Commits what drivers do for settings by statements, before the first transaction that may be rolled back. */
    void keepSettings() throws SQLException {
        if (!autoCommit && !autoCommitBefore) {
            connection.commit();
        }
    }

    /**
     * Gives the connection back as it came. What is not committed is rolled back first: restoring the mode of commits
     * would commit it.
     *
     * @param open whether a transaction may be open
     * @throws SQLException if the pool does; the connection counts as given back
     */
    void release(boolean open) throws SQLException {
        if (!released.compareAndSet(false, true)) {
            return;
        }
        try {
            restore(open);
        } finally {
            try {
                connection.close();
            } finally {
                if (ticket != null) {
                    ticket.complete(failed ? Verdict.FAILURE : Verdict.SUCCESS);
                }
            }
        }
    }

    /** Ends the connection at once, whatever it does, and gives it back. */
    void abort(Executor executor) throws SQLException {
        if (released.compareAndSet(false, true)) {
            try {
                connection.abort(executor);
            } finally {
                try {
                    connection.close();
                } finally {
                    if (ticket != null) {
                        ticket.complete(Verdict.IGNORED);
                    }
                }
            }
        }
    }

    private void restore(boolean open) {
        try {
            if (connection.isClosed()) {
                return;
            }
            if (open && !autoCommit) {
                connection.rollback();
            }
            if (autoCommit != autoCommitBefore && autoCommitBefore) {
                connection.setAutoCommit(true); // so that none of the following begins a transaction
            }
            if (isolationBefore != null) {
                connection.setTransactionIsolation(isolationBefore);
            }
            if (readOnlyBefore != null) {
                connection.setReadOnly(readOnlyBefore);
            }
            if (holdabilityBefore != null) {
                connection.setHoldability(holdabilityBefore);
            }
            if (catalogChanged) {
                connection.setCatalog(catalogBefore);
            }
            if (schemaChanged) {
                connection.setSchema(schemaBefore);
            }
            if (networkTimeoutBefore != null) {
                connection.setNetworkTimeout(networkTimeoutExecutor, networkTimeoutBefore);
            }
            if (typeMapBefore != null) {
                connection.setTypeMap(typeMapBefore);
            }
            if (clientInfoBefore != null) {
                connection.setClientInfo(clientInfoBefore);
            }
            if (autoCommit != autoCommitBefore && !autoCommitBefore) {
                connection.setAutoCommit(false);
            } else if (!autoCommitBefore && (catalogChanged || schemaChanged || clientInfoBefore != null)) {
                connection.commit(); // what a driver did by a statement
            }
        } catch (SQLException | RuntimeException broken) {
            SafeLog.debug(LOG, "{}: a connection could not be restored, and is aborted", node, broken);
            failed = true;
            abortQuietly();
        }
    }

    /** Ends the connection so that its pool does not lend it again as it is. */
    private void abortQuietly() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException unsupported) {
            SafeLog.debug(LOG, "{}: a connection could not be aborted", node, unsupported);
        }
    }
}
