package dev.levee.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;

/**
 * A statement of which each execution is a guarded call.
 *
 * @param <S> the kind of statement inside
 */
@SuppressWarnings("deprecation")
class GuardedStatement<S extends Statement> implements Statement {
    final S inner;
    private final GuardedConnection connection;
    private final RoundTrips trips;

    GuardedStatement(S inner, GuardedConnection connection, RoundTrips trips) {
        this.inner = inner;
        this.connection = connection;
        this.trips = trips;
    }

    final <T> T trip(SqlCall<T> call) throws SQLException {
        return trips.run(inner, call);
    }

    @Override
    public void addBatch(String sql) throws SQLException {
        inner.addBatch(sql);
    }

    @Override
    public void cancel() throws SQLException {
        inner.cancel();
    }

    @Override
    public void clearBatch() throws SQLException {
        inner.clearBatch();
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
    public void closeOnCompletion() throws SQLException {
        inner.closeOnCompletion();
    }

    @Override
    public String enquoteIdentifier(String value, boolean second) throws SQLException {
        return inner.enquoteIdentifier(value, second);
    }

    @Override
    public String enquoteLiteral(String value) throws SQLException {
        return inner.enquoteLiteral(value);
    }

    @Override
    public String enquoteNCharLiteral(String value) throws SQLException {
        return inner.enquoteNCharLiteral(value);
    }

    @Override
    public boolean execute(String sql) throws SQLException {
        return trip(() -> inner.execute(sql));
    }

    @Override
    public boolean execute(String sql, int second) throws SQLException {
        return trip(() -> inner.execute(sql, second));
    }

    @Override
    public boolean execute(String sql, int[] second) throws SQLException {
        return trip(() -> inner.execute(sql, second));
    }

    @Override
    public boolean execute(String sql, String[] second) throws SQLException {
        return trip(() -> inner.execute(sql, second));
    }

    @Override
    public int[] executeBatch() throws SQLException {
        return trip(() -> inner.executeBatch());
    }

    @Override
    public long[] executeLargeBatch() throws SQLException {
        return trip(() -> inner.executeLargeBatch());
    }

    @Override
    public long executeLargeUpdate(String sql) throws SQLException {
        return trip(() -> inner.executeLargeUpdate(sql));
    }

    @Override
    public long executeLargeUpdate(String sql, int second) throws SQLException {
        return trip(() -> inner.executeLargeUpdate(sql, second));
    }

    @Override
    public long executeLargeUpdate(String sql, int[] second) throws SQLException {
        return trip(() -> inner.executeLargeUpdate(sql, second));
    }

    @Override
    public long executeLargeUpdate(String sql, String[] second) throws SQLException {
        return trip(() -> inner.executeLargeUpdate(sql, second));
    }

    @Override
    public ResultSet executeQuery(String sql) throws SQLException {
        return trip(() -> inner.executeQuery(sql));
    }

    @Override
    public int executeUpdate(String sql) throws SQLException {
        return trip(() -> inner.executeUpdate(sql));
    }

    @Override
    public int executeUpdate(String sql, int second) throws SQLException {
        return trip(() -> inner.executeUpdate(sql, second));
    }

    @Override
    public int executeUpdate(String sql, int[] second) throws SQLException {
        return trip(() -> inner.executeUpdate(sql, second));
    }

    @Override
    public int executeUpdate(String sql, String[] second) throws SQLException {
        return trip(() -> inner.executeUpdate(sql, second));
    }

    @Override
    public Connection getConnection() throws SQLException {
        return connection;
    }

    @Override
    public int getFetchDirection() throws SQLException {
        return inner.getFetchDirection();
    }

    @Override
    public int getFetchSize() throws SQLException {
        return inner.getFetchSize();
    }

    @Override
    public ResultSet getGeneratedKeys() throws SQLException {
        return inner.getGeneratedKeys();
    }

    @Override
    public long getLargeMaxRows() throws SQLException {
        return inner.getLargeMaxRows();
    }

    @Override
    public long getLargeUpdateCount() throws SQLException {
        return inner.getLargeUpdateCount();
    }

    @Override
    public int getMaxFieldSize() throws SQLException {
        return inner.getMaxFieldSize();
    }

    @Override
    public int getMaxRows() throws SQLException {
        return inner.getMaxRows();
    }

    @Override
    public boolean getMoreResults() throws SQLException {
        return inner.getMoreResults();
    }

    @Override
    public boolean getMoreResults(int value) throws SQLException {
        return inner.getMoreResults(value);
    }

    @Override
    public int getQueryTimeout() throws SQLException {
        return inner.getQueryTimeout();
    }

    @Override
    public ResultSet getResultSet() throws SQLException {
        return inner.getResultSet();
    }

    @Override
    public int getResultSetConcurrency() throws SQLException {
        return inner.getResultSetConcurrency();
    }

    @Override
    public int getResultSetHoldability() throws SQLException {
        return inner.getResultSetHoldability();
    }

    @Override
    public int getResultSetType() throws SQLException {
        return inner.getResultSetType();
    }

    @Override
    public int getUpdateCount() throws SQLException {
        return inner.getUpdateCount();
    }

    @Override
    public SQLWarning getWarnings() throws SQLException {
        return inner.getWarnings();
    }

    @Override
    public boolean isCloseOnCompletion() throws SQLException {
        return inner.isCloseOnCompletion();
    }

    @Override
    public boolean isClosed() throws SQLException {
        return inner.isClosed();
    }

    @Override
    public boolean isPoolable() throws SQLException {
        return inner.isPoolable();
    }

    @Override
    public boolean isSimpleIdentifier(String value) throws SQLException {
        return inner.isSimpleIdentifier(value);
    }

    @Override
    public void setCursorName(String value) throws SQLException {
        inner.setCursorName(value);
    }

    @Override
    public void setEscapeProcessing(boolean value) throws SQLException {
        inner.setEscapeProcessing(value);
    }

    @Override
    public void setFetchDirection(int value) throws SQLException {
        inner.setFetchDirection(value);
    }

    @Override
    public void setFetchSize(int value) throws SQLException {
        inner.setFetchSize(value);
    }

    @Override
    public void setLargeMaxRows(long value) throws SQLException {
        inner.setLargeMaxRows(value);
    }

    @Override
    public void setMaxFieldSize(int value) throws SQLException {
        inner.setMaxFieldSize(value);
    }

    @Override
    public void setMaxRows(int value) throws SQLException {
        inner.setMaxRows(value);
    }

    @Override
    public void setPoolable(boolean value) throws SQLException {
        inner.setPoolable(value);
    }

    @Override
    public void setQueryTimeout(int value) throws SQLException {
        inner.setQueryTimeout(value);
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
