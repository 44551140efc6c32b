package dev.levee.jdbc;

import java.io.Reader;
import java.math.BigDecimal;
import java.net.URL;
import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.Ref;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.Calendar;
import java.util.Map;

/** A call of a procedure, of which each execution is a guarded call; reads its results. */
@SuppressWarnings("deprecation")
final class GuardedCallableStatement extends CallParameters {
    GuardedCallableStatement(CallableStatement inner, GuardedConnection connection, RoundTrips trips) {
        super(inner, connection, trips);
    }

    @Override
    public Array getArray(int index) throws SQLException {
        return inner.getArray(index);
    }

    @Override
    public Array getArray(String name) throws SQLException {
        return inner.getArray(name);
    }

    @Override
    public BigDecimal getBigDecimal(int index) throws SQLException {
        return inner.getBigDecimal(index);
    }

    @Override
    public BigDecimal getBigDecimal(String name) throws SQLException {
        return inner.getBigDecimal(name);
    }

    @Override
    @Deprecated
    public BigDecimal getBigDecimal(int index, int value) throws SQLException {
        return inner.getBigDecimal(index, value);
    }

    @Override
    public Blob getBlob(int index) throws SQLException {
        return inner.getBlob(index);
    }

    @Override
    public Blob getBlob(String name) throws SQLException {
        return inner.getBlob(name);
    }

    @Override
    public boolean getBoolean(int index) throws SQLException {
        return inner.getBoolean(index);
    }

    @Override
    public boolean getBoolean(String name) throws SQLException {
        return inner.getBoolean(name);
    }

    @Override
    public byte getByte(int index) throws SQLException {
        return inner.getByte(index);
    }

    @Override
    public byte getByte(String name) throws SQLException {
        return inner.getByte(name);
    }

    @Override
    public byte[] getBytes(int index) throws SQLException {
        return inner.getBytes(index);
    }

    @Override
    public byte[] getBytes(String name) throws SQLException {
        return inner.getBytes(name);
    }

    @Override
    public Reader getCharacterStream(int index) throws SQLException {
        return inner.getCharacterStream(index);
    }

    @Override
    public Reader getCharacterStream(String name) throws SQLException {
        return inner.getCharacterStream(name);
    }

    @Override
    public Clob getClob(int index) throws SQLException {
        return inner.getClob(index);
    }

    @Override
    public Clob getClob(String name) throws SQLException {
        return inner.getClob(name);
    }

    @Override
    public Date getDate(int index) throws SQLException {
        return inner.getDate(index);
    }

    @Override
    public Date getDate(String name) throws SQLException {
        return inner.getDate(name);
    }

    @Override
    public Date getDate(int index, Calendar value) throws SQLException {
        return inner.getDate(index, value);
    }

    @Override
    public Date getDate(String name, Calendar value) throws SQLException {
        return inner.getDate(name, value);
    }

    @Override
    public double getDouble(int index) throws SQLException {
        return inner.getDouble(index);
    }

    @Override
    public double getDouble(String name) throws SQLException {
        return inner.getDouble(name);
    }

    @Override
    public float getFloat(int index) throws SQLException {
        return inner.getFloat(index);
    }

    @Override
    public float getFloat(String name) throws SQLException {
        return inner.getFloat(name);
    }

    @Override
    public int getInt(int index) throws SQLException {
        return inner.getInt(index);
    }

    @Override
    public int getInt(String name) throws SQLException {
        return inner.getInt(name);
    }

    @Override
    public long getLong(int index) throws SQLException {
        return inner.getLong(index);
    }

    @Override
    public long getLong(String name) throws SQLException {
        return inner.getLong(name);
    }

    @Override
    public Reader getNCharacterStream(int index) throws SQLException {
        return inner.getNCharacterStream(index);
    }

    @Override
    public Reader getNCharacterStream(String name) throws SQLException {
        return inner.getNCharacterStream(name);
    }

    @Override
    public NClob getNClob(int index) throws SQLException {
        return inner.getNClob(index);
    }

    @Override
    public NClob getNClob(String name) throws SQLException {
        return inner.getNClob(name);
    }

    @Override
    public String getNString(int index) throws SQLException {
        return inner.getNString(index);
    }

    @Override
    public String getNString(String name) throws SQLException {
        return inner.getNString(name);
    }

    @Override
    public Object getObject(int index) throws SQLException {
        return inner.getObject(index);
    }

    @Override
    public Object getObject(String name) throws SQLException {
        return inner.getObject(name);
    }

    @Override
    public <T> T getObject(int index, Class<T> value) throws SQLException {
        return inner.getObject(index, value);
    }

    @Override
    public Object getObject(int index, Map<String, Class<?>> value) throws SQLException {
        return inner.getObject(index, value);
    }

    @Override
    public <T> T getObject(String name, Class<T> value) throws SQLException {
        return inner.getObject(name, value);
    }

    @Override
    public Object getObject(String name, Map<String, Class<?>> value) throws SQLException {
        return inner.getObject(name, value);
    }

    @Override
    public Ref getRef(int index) throws SQLException {
        return inner.getRef(index);
    }

    @Override
    public Ref getRef(String name) throws SQLException {
        return inner.getRef(name);
    }

    @Override
    public RowId getRowId(int index) throws SQLException {
        return inner.getRowId(index);
    }

    @Override
    public RowId getRowId(String name) throws SQLException {
        return inner.getRowId(name);
    }

    @Override
    public SQLXML getSQLXML(int index) throws SQLException {
        return inner.getSQLXML(index);
    }

    @Override
    public SQLXML getSQLXML(String name) throws SQLException {
        return inner.getSQLXML(name);
    }

    @Override
    public short getShort(int index) throws SQLException {
        return inner.getShort(index);
    }

    @Override
    public short getShort(String name) throws SQLException {
        return inner.getShort(name);
    }

    @Override
    public String getString(int index) throws SQLException {
        return inner.getString(index);
    }

    @Override
    public String getString(String name) throws SQLException {
        return inner.getString(name);
    }

    @Override
    public Time getTime(int index) throws SQLException {
        return inner.getTime(index);
    }

    @Override
    public Time getTime(String name) throws SQLException {
        return inner.getTime(name);
    }

    @Override
    public Time getTime(int index, Calendar value) throws SQLException {
        return inner.getTime(index, value);
    }

    @Override
    public Time getTime(String name, Calendar value) throws SQLException {
        return inner.getTime(name, value);
    }

    @Override
    public Timestamp getTimestamp(int index) throws SQLException {
        return inner.getTimestamp(index);
    }

    @Override
    public Timestamp getTimestamp(String name) throws SQLException {
        return inner.getTimestamp(name);
    }

    @Override
    public Timestamp getTimestamp(int index, Calendar value) throws SQLException {
        return inner.getTimestamp(index, value);
    }

    @Override
    public Timestamp getTimestamp(String name, Calendar value) throws SQLException {
        return inner.getTimestamp(name, value);
    }

    @Override
    public URL getURL(int index) throws SQLException {
        return inner.getURL(index);
    }

    @Override
    public URL getURL(String name) throws SQLException {
        return inner.getURL(name);
    }

    @Override
    public boolean wasNull() throws SQLException {
        return inner.wasNull();
    }
}
