package dev.levee.jdbc.routing;

import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import dev.levee.jdbc.routing.ConnectionDefaults.PoolSettings;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A connection that takes a physical one when it is first used, because JDBC says late what a connection is for.
 * Settings that come before are kept, and applied to each physical connection. See ADR 157.
 *
 * <pre>
 *   no physical connection --first statement--> reads: one of a replica, or of the primary; else of the primary
 *          ^                                            |
 *          +--- closed, or work that does not fit ------+   between transactions, when no statement is open
 * </pre>
 *
 * <p>Used by one thread at a time, as connections are; {@code abort} and {@code close} by any.
 */
final class RoutedConnection extends SettingConnection {
    final Routes routes;
    private final ReadScope scope;
    private final AtomicBoolean closed = new AtomicBoolean();

    private volatile @Nullable PhysicalConnection physical;

    /** Of the physical connection. */
    private OpenStatements statements = new OpenStatements();

    /** Whether a transaction has begun: a statement was executed and its end has not come. */
    private volatile boolean open;

    /** Whether the commit of the transaction has failed. */
    private boolean inDoubt;

    /** Whether the driver may have asked its server, and so begun a transaction, without a statement of the caller. */
    private volatile boolean asked;

    /** Whether rows may have been written through a result, without a statement. */
    private boolean updatable;

    /** The position of the session before the last statement. */
    private long seen;

    private boolean readOnly;

    RoutedConnection(Routes routes, ReadScope scope, boolean readOnly) {
        this.routes = routes;
        this.scope = scope;
        this.readOnly = readOnly;
    }

    // ---- the physical connection

    @Override
    Connection use() throws SQLException {
        return taken().connection;
    }

    @Override
    PhysicalConnection taken() throws SQLException {
        PhysicalConnection now = bound();
        asked = true;
        return now;
    }

    private void requireOpen() throws SQLException {
        if (closed.get()) {
            throw new SQLNonTransientConnectionException(
                    "data source \"" + routes.name + "\": this connection is closed", "08003");
        }
    }

    @Override
    @Nullable PhysicalConnection current() throws SQLException {
        requireOpen();
        return physical;
    }

    @Override
    @Nullable Connection held() throws SQLException {
        PhysicalConnection now = current();
        return now == null ? null : now.connection;
    }

    /** Returns the physical connection; another one if the one that there is does not fit and can be left. */
    private PhysicalConnection bound() throws SQLException {
        PhysicalConnection now = current();
        if (now != null && !open && !(now.fit && fits(now)) && statements.areNone()) {
            leave(now);
            now = null;
        }
        return now == null ? bind() : now;
    }

    private boolean fits(PhysicalConnection now) throws SQLException {
        return now.primary
                ? !reads() || routes.isPrimary(now.node)
                : reads() && now.node.view.usable() && routes.meets(now.node, CallContext.current());
    }

    /**
     * Whether what is done is declared as reading; within a scope a transaction is only if it says so itself. What is
     * serializable needs the primary: replicas know nothing of the transactions there, and PostgreSQL's refuse it.
     */
    private boolean reads() throws SQLException {
        return (readOnly || (scope.isOpen() && commitsEach())) && !wanted.isSerializable();
    }

    private boolean commitsEach() throws SQLException {
        if (wanted.autoCommit != null) {
            return wanted.autoCommit;
        }
        PoolSettings known = defaults();
        return known == null || known.autoCommit();
    }

    @Override
    @Nullable PoolSettings defaults() throws SQLException {
        PoolSettings known = routes.defaults.settings();
        if (known == null) {
            routes.awaitFirstRound();
            known = routes.defaults.settings();
        }
        return known;
    }

    private PhysicalConnection bind() throws SQLException {
        boolean reading = reads();
        PhysicalConnection taken = reading ? routes.read() : routes.write();
        boolean done = false;
        try {
            if (reading || readOnly) {
                taken.setReadOnly(true);
            }
            wanted.apply(taken);
            done = true;
        } finally {
            if (!done) {
                taken.release(false);
            }
        }
        statements = new OpenStatements();
        updatable = false;
        open = false;
        asked = false;
        inDoubt = false;
        physical = taken;
        if (closed.get()) { // by another thread, which may not have seen it
            leave(taken);
            requireOpen();
        }
        return taken;
    }

    private void leave(PhysicalConnection left) throws SQLException {
        physical = null;
        left.release(open || asked);
        open = false;
        asked = false;
    }

    /** Takes note of a call of a statement, or of the meta data, that goes to the driver. */
    void asks() {
        asked = true;
    }

    @Override
    void endAsked(PhysicalConnection of) throws SQLException {
        if (asked && !open && !of.autoCommit) {
            of.connection.rollback();
            asked = false;
        }
    }

    // ---- statements

    @Override
    <S extends Statement> S statement(Class<S> type, boolean mayUpdate, Maker<S> maker) throws SQLException {
        PhysicalConnection now = bound();
        try {
            S made = maker.make(now.connection);
            updatable |= mayUpdate;
            return RoutedStatement.of(this, now, type, made, statements);
        } catch (SQLException failure) {
            routes.failed(now, failure);
            throw failure;
        }
    }

    /** Holds a statement up until its node can give what the call asks for; returns what the session has seen. */
    long beforeExecution(PhysicalConnection of) throws SQLException {
        requireOpen();
        if (of != physical) {
            throw new SQLException("data source \"" + routes.name + "\": this statement was closed when its connection"
                    + " went to other work");
        } else if (!of.fit) {
            throw new SQLException("data source \"" + routes.name + "\": node " + of.node.name
                    + " did not go back to transactions after the last one; close all statements and begin again");
        }
        CallContext call = CallContext.current();
        if (of.primary) {
            routes.requirePrimary(of.node);
        } else if (!routes.meets(of.node, call) && !routes.awaitSession(of.node, call)) {
            throw new ReplicaBehindException("data source \"" + routes.name + "\": node " + of.node.name
                    + " cannot give what the call asks for, " + routes.kind(call) + "; take a new connection");
        }
        routes.prepare(call);
        seen = routes.seen(call);
        if (!of.autoCommit) {
            open = true;
        }
        return seen;
    }

    void afterExecution(PhysicalConnection of, long before) throws SQLException {
        if (of.autoCommit) {
            note(of, before);
        }
    }

    /** What has failed may have written something all the same: a batch some of its rows, or all before an answer. */
    void afterFailure(PhysicalConnection of, SQLException failure) throws SQLException {
        if (of.autoCommit && !reads()) {
            routes.noteDoubt(of, failure, false);
        }
    }

    /** Notes in the session what was written; and what was read, unless the call does not ask for that. */
    private void note(PhysicalConnection of, long atLeast) throws SQLException {
        note(of, atLeast, true);
    }

    private void note(PhysicalConnection of, long atLeast, boolean settles) throws SQLException {
        CallContext call = CallContext.current();
        if (call.session() == null) {
            return;
        }
        Consistency.Kind kind = routes.kind(call);
        if (kind == Consistency.Kind.SESSION || kind == Consistency.Kind.STRONG || !reads()) {
            routes.note(of, call, atLeast, settles);
        }
    }

    // ---- transactions

    @Override
    public void setAutoCommit(boolean value) throws SQLException {
        PhysicalConnection now = current();
        if (now != null && now.autoCommit != value) {
            if (value) {
                end(now, () -> now.setAutoCommit(true), true);
            } else if (now.primary || readOnly) {
                now.setAutoCommit(false);
            } else {
                leave(now); // it was for reads that commit by themselves
            }
        }
        wanted.autoCommit = value;
    }

    @Override
    public boolean getAutoCommit() throws SQLException {
        PhysicalConnection now = current();
        return now == null ? commitsEach() : now.autoCommit;
    }

    @Override
    public void commit() throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            end(now, now.connection::commit, true);
        }
    }

    @Override
    public void rollback() throws SQLException {
        PhysicalConnection now = current();
        if (now != null) {
            end(now, now.connection::rollback, false);
        }
    }

    private void end(PhysicalConnection of, TransactionEnd ending, boolean commits) throws SQLException {
        boolean was = open;
        if (was && commits && of.primary) {
            routes.requirePrimary(of.node);
        }
        try {
            ending.run();
        } catch (SQLException failure) {
            routes.failed(of, failure);
            if (was && commits) {
                inDoubt = true;
                routes.noteDoubt(of, failure, true);
            }
            throw failure;
        }
        open = false;
        asked = false;
        boolean settles = !inDoubt; // that it could be rolled back later says nothing of a commit that has failed
        inDoubt = false;
        if (was) {
            note(of, seen, settles);
        }
    }

    @Override
    public Savepoint setSavepoint() throws SQLException {
        return begun().connection.setSavepoint();
    }

    @Override
    public Savepoint setSavepoint(String name) throws SQLException {
        return begun().connection.setSavepoint(name);
    }

    private PhysicalConnection begun() throws SQLException {
        PhysicalConnection now = bound();
        beforeExecution(now);
        return now;
    }

    @Override
    public void rollback(Savepoint savepoint) throws SQLException {
        use().rollback(savepoint);
    }

    @Override
    public void releaseSavepoint(Savepoint savepoint) throws SQLException {
        use().releaseSavepoint(savepoint);
    }

    // ---- settings

    @Override
    public void setReadOnly(boolean value) throws SQLException {
        requireOpen();
        if (value == readOnly) {
            return;
        }
        if (open) {
            throw new SQLException(
                    "data source \"" + routes.name + "\": read-only cannot change within a transaction", "25001");
        }
        PhysicalConnection now = physical;
        readOnly = value;
        if (now != null) {
            if (now.primary && !statements.areNone()) {
                endAsked(now);
                now.setReadOnly(value);
            } else {
                leave(now);
            }
        }
    }

    @Override
    public boolean isReadOnly() throws SQLException {
        requireOpen();
        return readOnly;
    }

    @Override
    public DatabaseMetaData getMetaData() throws SQLException {
        PhysicalConnection now = bound();
        return RoutedStatement.of(this, now, now.connection.getMetaData());
    }

    // ---- the end

    @Override
    public boolean isValid(int timeoutSeconds) throws SQLException {
        if (timeoutSeconds < 0) {
            throw new SQLException("timeoutSeconds must be at least 0, but was " + timeoutSeconds);
        }
        if (closed.get()) {
            return false;
        }
        try {
            return use().isValid(timeoutSeconds);
        } catch (SQLException unreachable) {
            return false;
        }
    }

    @Override
    public boolean isClosed() throws SQLException {
        PhysicalConnection now = physical;
        return closed.get() || (now != null && now.connection.isClosed());
    }

    @Override
    public void close() throws SQLException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        PhysicalConnection last = physical;
        if (last != null) {
            try {
                settle(last);
            } finally {
                leave(last);
            }
        }
    }

    /** Rolls back what is open, and notes what was read in it. */
    private void settle(PhysicalConnection last) throws SQLException {
        if (last.connection.isClosed() || CallContext.current().session() == null) {
            return;
        }
        if (open && !last.autoCommit) {
            end(last, last.connection::rollback, false);
        } else if (updatable && last.autoCommit) {
            note(last, seen);
        }
    }

    @Override
    public void abort(Executor executor) throws SQLException {
        if (executor == null) {
            throw new SQLException("executor must not be null");
        }
        if (closed.compareAndSet(false, true)) {
            PhysicalConnection last = physical;
            physical = null;
            if (last != null) {
                last.abort(executor);
            }
        }
    }

    @Override
    public String toString() {
        PhysicalConnection now = physical;
        return "connection of data source \"" + routes.name + "\""
                + (closed.get() ? ", closed" : now == null ? "" : " to node " + now.node.name);
    }
}
