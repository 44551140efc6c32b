package dev.levee.jdbc;

import dev.levee.jdbc.internal.ForwardingConnection;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.concurrent.Executor;

/**
 * A connection whose statements are guarded. What begins, ends or sets up a transaction, and what gives the connection
 * back, goes straight to the connection inside. See ADR 161.
 */
final class GuardedConnection extends ForwardingConnection {
    private final Connection inner;
    private final RoundTrips trips;

    GuardedConnection(Connection inner, RoundTrips trips) {
        this.inner = inner;
        this.trips = trips;
    }

    @Override
    protected Connection use() {
        return inner;
    }

    @Override
    protected <S extends Statement> S statement(Class<S> type, boolean updatable, Maker<S> maker) throws SQLException {
        Statement made = maker.make(inner);
        if (type == CallableStatement.class) {
            return type.cast(new GuardedCallableStatement((CallableStatement) made, this, trips));
        }
        return type.cast(
                type == PreparedStatement.class
                        ? new GuardedPreparedStatement<>((PreparedStatement) made, this, trips)
                        : new GuardedStatement<>(made, this, trips));
    }

    @Override
    public void abort(Executor value) throws SQLException {
        inner.abort(value);
    }

    @Override
    public void beginRequest() throws SQLException {
        inner.beginRequest();
    }

    @Override
    public void close() throws SQLException {
        inner.close();
    }

    @Override
    public void commit() throws SQLException {
        inner.commit();
    }

    @Override
    public void endRequest() throws SQLException {
        inner.endRequest();
    }

    @Override
    public boolean getAutoCommit() throws SQLException {
        return inner.getAutoCommit();
    }

    @Override
    public String getCatalog() throws SQLException {
        return inner.getCatalog();
    }

    @Override
    public int getHoldability() throws SQLException {
        return inner.getHoldability();
    }

    @Override
    public DatabaseMetaData getMetaData() throws SQLException {
        return inner.getMetaData();
    }

    @Override
    public String getSchema() throws SQLException {
        return inner.getSchema();
    }

    @Override
    public int getTransactionIsolation() throws SQLException {
        return inner.getTransactionIsolation();
    }

    @Override
    public boolean isClosed() throws SQLException {
        return inner.isClosed();
    }

    @Override
    public boolean isReadOnly() throws SQLException {
        return inner.isReadOnly();
    }

    @Override
    public boolean isValid(int value) throws SQLException {
        return inner.isValid(value);
    }

    @Override
    public void releaseSavepoint(Savepoint value) throws SQLException {
        inner.releaseSavepoint(value);
    }

    @Override
    public void rollback() throws SQLException {
        inner.rollback();
    }

    @Override
    public void rollback(Savepoint value) throws SQLException {
        inner.rollback(value);
    }

    @Override
    public void setAutoCommit(boolean value) throws SQLException {
        inner.setAutoCommit(value);
    }

    @Override
    public void setCatalog(String value) throws SQLException {
        inner.setCatalog(value);
    }

    @Override
    public void setHoldability(int value) throws SQLException {
        inner.setHoldability(value);
    }

    @Override
    public void setNetworkTimeout(Executor value, int second) throws SQLException {
        inner.setNetworkTimeout(value, second);
    }

    @Override
    public void setReadOnly(boolean value) throws SQLException {
        inner.setReadOnly(value);
    }

    @Override
    public Savepoint setSavepoint() throws SQLException {
        return inner.setSavepoint();
    }

    @Override
    public Savepoint setSavepoint(String value) throws SQLException {
        return inner.setSavepoint(value);
    }

    @Override
    public void setSchema(String value) throws SQLException {
        inner.setSchema(value);
    }

    @Override
    public void setTransactionIsolation(int value) throws SQLException {
        inner.setTransactionIsolation(value);
    }

    @Override
    public String toString() {
        return "guarded " + inner;
    }
}
