package dev.levee.jdbc;

import java.io.InputStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.net.URL;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLType;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.Calendar;

/** Sets the parameters of a guarded call of a procedure. */
@SuppressWarnings("deprecation")
abstract class CallParameters extends GuardedPreparedStatement<CallableStatement> implements CallableStatement {
    CallParameters(CallableStatement inner, GuardedConnection connection, RoundTrips trips) {
        super(inner, connection, trips);
    }

    @Override
    public void registerOutParameter(int index, int value) throws SQLException {
        inner.registerOutParameter(index, value);
    }

    @Override
    public void registerOutParameter(String name, int value) throws SQLException {
        inner.registerOutParameter(name, value);
    }

    @Override
    public void registerOutParameter(int index, SQLType value) throws SQLException {
        inner.registerOutParameter(index, value);
    }

    @Override
    public void registerOutParameter(String name, SQLType value) throws SQLException {
        inner.registerOutParameter(name, value);
    }

    @Override
    public void registerOutParameter(int index, int value, int detail) throws SQLException {
        inner.registerOutParameter(index, value, detail);
    }

    @Override
    public void registerOutParameter(int index, int value, String detail) throws SQLException {
        inner.registerOutParameter(index, value, detail);
    }

    @Override
    public void registerOutParameter(String name, int value, int detail) throws SQLException {
        inner.registerOutParameter(name, value, detail);
    }

    @Override
    public void registerOutParameter(String name, int value, String detail) throws SQLException {
        inner.registerOutParameter(name, value, detail);
    }

    @Override
    public void registerOutParameter(int index, SQLType value, int detail) throws SQLException {
        inner.registerOutParameter(index, value, detail);
    }

    @Override
    public void registerOutParameter(int index, SQLType value, String detail) throws SQLException {
        inner.registerOutParameter(index, value, detail);
    }

    @Override
    public void registerOutParameter(String name, SQLType value, int detail) throws SQLException {
        inner.registerOutParameter(name, value, detail);
    }

    @Override
    public void registerOutParameter(String name, SQLType value, String detail) throws SQLException {
        inner.registerOutParameter(name, value, detail);
    }

    @Override
    public void setAsciiStream(String name, InputStream value) throws SQLException {
        inner.setAsciiStream(name, value);
    }

    @Override
    public void setAsciiStream(String name, InputStream value, int detail) throws SQLException {
        inner.setAsciiStream(name, value, detail);
    }

    @Override
    public void setAsciiStream(String name, InputStream value, long detail) throws SQLException {
        inner.setAsciiStream(name, value, detail);
    }

    @Override
    public void setBigDecimal(String name, BigDecimal value) throws SQLException {
        inner.setBigDecimal(name, value);
    }

    @Override
    public void setBinaryStream(String name, InputStream value) throws SQLException {
        inner.setBinaryStream(name, value);
    }

    @Override
    public void setBinaryStream(String name, InputStream value, int detail) throws SQLException {
        inner.setBinaryStream(name, value, detail);
    }

    @Override
    public void setBinaryStream(String name, InputStream value, long detail) throws SQLException {
        inner.setBinaryStream(name, value, detail);
    }

    @Override
    public void setBlob(String name, InputStream value) throws SQLException {
        inner.setBlob(name, value);
    }

    @Override
    public void setBlob(String name, Blob value) throws SQLException {
        inner.setBlob(name, value);
    }

    @Override
    public void setBlob(String name, InputStream value, long detail) throws SQLException {
        inner.setBlob(name, value, detail);
    }

    @Override
    public void setBoolean(String name, boolean value) throws SQLException {
        inner.setBoolean(name, value);
    }

    @Override
    public void setByte(String name, byte value) throws SQLException {
        inner.setByte(name, value);
    }

    @Override
    public void setBytes(String name, byte[] value) throws SQLException {
        inner.setBytes(name, value);
    }

    @Override
    public void setCharacterStream(String name, Reader value) throws SQLException {
        inner.setCharacterStream(name, value);
    }

    @Override
    public void setCharacterStream(String name, Reader value, int detail) throws SQLException {
        inner.setCharacterStream(name, value, detail);
    }

    @Override
    public void setCharacterStream(String name, Reader value, long detail) throws SQLException {
        inner.setCharacterStream(name, value, detail);
    }

    @Override
    public void setClob(String name, Reader value) throws SQLException {
        inner.setClob(name, value);
    }

    @Override
    public void setClob(String name, Clob value) throws SQLException {
        inner.setClob(name, value);
    }

    @Override
    public void setClob(String name, Reader value, long detail) throws SQLException {
        inner.setClob(name, value, detail);
    }

    @Override
    public void setDate(String name, Date value) throws SQLException {
        inner.setDate(name, value);
    }

    @Override
    public void setDate(String name, Date value, Calendar detail) throws SQLException {
        inner.setDate(name, value, detail);
    }

    @Override
    public void setDouble(String name, double value) throws SQLException {
        inner.setDouble(name, value);
    }

    @Override
    public void setFloat(String name, float value) throws SQLException {
        inner.setFloat(name, value);
    }

    @Override
    public void setInt(String name, int value) throws SQLException {
        inner.setInt(name, value);
    }

    @Override
    public void setLong(String name, long value) throws SQLException {
        inner.setLong(name, value);
    }

    @Override
    public void setNCharacterStream(String name, Reader value) throws SQLException {
        inner.setNCharacterStream(name, value);
    }

    @Override
    public void setNCharacterStream(String name, Reader value, long detail) throws SQLException {
        inner.setNCharacterStream(name, value, detail);
    }

    @Override
    public void setNClob(String name, Reader value) throws SQLException {
        inner.setNClob(name, value);
    }

    @Override
    public void setNClob(String name, NClob value) throws SQLException {
        inner.setNClob(name, value);
    }

    @Override
    public void setNClob(String name, Reader value, long detail) throws SQLException {
        inner.setNClob(name, value, detail);
    }

    @Override
    public void setNString(String name, String value) throws SQLException {
        inner.setNString(name, value);
    }

    @Override
    public void setNull(String name, int value) throws SQLException {
        inner.setNull(name, value);
    }

    @Override
    public void setNull(String name, int value, String detail) throws SQLException {
        inner.setNull(name, value, detail);
    }

    @Override
    public void setObject(String name, Object value) throws SQLException {
        inner.setObject(name, value);
    }

    @Override
    public void setObject(String name, Object value, int detail) throws SQLException {
        inner.setObject(name, value, detail);
    }

    @Override
    public void setObject(String name, Object value, SQLType detail) throws SQLException {
        inner.setObject(name, value, detail);
    }

    @Override
    public void setObject(String name, Object value, int detail, int scale) throws SQLException {
        inner.setObject(name, value, detail, scale);
    }

    @Override
    public void setObject(String name, Object value, SQLType detail, int scale) throws SQLException {
        inner.setObject(name, value, detail, scale);
    }

    @Override
    public void setRowId(String name, RowId value) throws SQLException {
        inner.setRowId(name, value);
    }

    @Override
    public void setSQLXML(String name, SQLXML value) throws SQLException {
        inner.setSQLXML(name, value);
    }

    @Override
    public void setShort(String name, short value) throws SQLException {
        inner.setShort(name, value);
    }

    @Override
    public void setString(String name, String value) throws SQLException {
        inner.setString(name, value);
    }

    @Override
    public void setTime(String name, Time value) throws SQLException {
        inner.setTime(name, value);
    }

    @Override
    public void setTime(String name, Time value, Calendar detail) throws SQLException {
        inner.setTime(name, value, detail);
    }

    @Override
    public void setTimestamp(String name, Timestamp value) throws SQLException {
        inner.setTimestamp(name, value);
    }

    @Override
    public void setTimestamp(String name, Timestamp value, Calendar detail) throws SQLException {
        inner.setTimestamp(name, value, detail);
    }

    @Override
    public void setURL(String name, URL value) throws SQLException {
        inner.setURL(name, value);
    }
}
