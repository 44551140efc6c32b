package dev.levee.jdbc;

import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.ShardingKey;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;

/**
 * A connection whose statements are guarded. What begins, ends or sets up a transaction, and what gives the connection
 * back, goes straight to the connection inside. See ADR 161.
 */
@SuppressWarnings("deprecation")
final class GuardedConnection implements Connection {
    private final Connection inner;
    private final RoundTrips trips;

    GuardedConnection(Connection inner, RoundTrips trips) {
        this.inner = inner;
        this.trips = trips;
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
    public void clearWarnings() throws SQLException {
        inner.clearWarnings();
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
    public Array createArrayOf(String value, Object[] second) throws SQLException {
        return inner.createArrayOf(value, second);
    }

    @Override
    public Blob createBlob() throws SQLException {
        return inner.createBlob();
    }

    @Override
    public Clob createClob() throws SQLException {
        return inner.createClob();
    }

    @Override
    public NClob createNClob() throws SQLException {
        return inner.createNClob();
    }

    @Override
    public SQLXML createSQLXML() throws SQLException {
        return inner.createSQLXML();
    }

    @Override
    public Statement createStatement() throws SQLException {
        return new GuardedStatement<>(inner.createStatement(), this, trips);
    }

    @Override
    public Statement createStatement(int value, int second) throws SQLException {
        return new GuardedStatement<>(inner.createStatement(value, second), this, trips);
    }

    @Override
    public Statement createStatement(int value, int second, int third) throws SQLException {
        return new GuardedStatement<>(inner.createStatement(value, second, third), this, trips);
    }

    @Override
    public Struct createStruct(String value, Object[] second) throws SQLException {
        return inner.createStruct(value, second);
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
    public Properties getClientInfo() throws SQLException {
        return inner.getClientInfo();
    }

    @Override
    public String getClientInfo(String value) throws SQLException {
        return inner.getClientInfo(value);
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
    public int getNetworkTimeout() throws SQLException {
        return inner.getNetworkTimeout();
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
    public Map<String, Class<?>> getTypeMap() throws SQLException {
        return inner.getTypeMap();
    }

    @Override
    public SQLWarning getWarnings() throws SQLException {
        return inner.getWarnings();
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
    public String nativeSQL(String sql) throws SQLException {
        return inner.nativeSQL(sql);
    }

    @Override
    public CallableStatement prepareCall(String sql) throws SQLException {
        return new GuardedCallableStatement(inner.prepareCall(sql), this, trips);
    }

    @Override
    public CallableStatement prepareCall(String sql, int second, int third) throws SQLException {
        return new GuardedCallableStatement(inner.prepareCall(sql, second, third), this, trips);
    }

    @Override
    public CallableStatement prepareCall(String sql, int second, int third, int fourth) throws SQLException {
        return new GuardedCallableStatement(inner.prepareCall(sql, second, third, fourth), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int second) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql, second), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int[] second) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql, second), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, String[] second) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql, second), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int second, int third) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql, second, third), this, trips);
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int second, int third, int fourth) throws SQLException {
        return new GuardedPreparedStatement<>(inner.prepareStatement(sql, second, third, fourth), this, trips);
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
    public void setClientInfo(Properties value) throws SQLClientInfoException {
        inner.setClientInfo(value);
    }

    @Override
    public void setClientInfo(String value, String second) throws SQLClientInfoException {
        inner.setClientInfo(value, second);
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
    public void setShardingKey(ShardingKey value) throws SQLException {
        inner.setShardingKey(value);
    }

    @Override
    public void setShardingKey(ShardingKey value, ShardingKey second) throws SQLException {
        inner.setShardingKey(value, second);
    }

    @Override
    public boolean setShardingKeyIfValid(ShardingKey value, int second) throws SQLException {
        return inner.setShardingKeyIfValid(value, second);
    }

    @Override
    public boolean setShardingKeyIfValid(ShardingKey value, ShardingKey second, int third) throws SQLException {
        return inner.setShardingKeyIfValid(value, second, third);
    }

    @Override
    public void setTransactionIsolation(int value) throws SQLException {
        inner.setTransactionIsolation(value);
    }

    @Override
    public void setTypeMap(Map<String, Class<?>> value) throws SQLException {
        inner.setTypeMap(value);
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return Unwrapping.unwrap(type, this, inner);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return Unwrapping.isWrapperFor(type, this, inner);
    }

    @Override
    public String toString() {
        return "guarded " + inner;
    }
}
