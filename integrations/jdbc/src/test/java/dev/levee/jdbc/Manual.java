package dev.levee.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import javax.sql.DataSource;

/** A data source whose connections do not commit by themselves, and roll back what is open when they are given back. */
final class Manual {
    private Manual() {}

    static DataSource of(DataSource inner) {
        return (DataSource) Proxy.newProxyInstance(
                Manual.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    try {
                        Object answer = method.invoke(inner, arguments);
                        if (answer instanceof Connection connection) {
                            connection.setAutoCommit(false);
                        }
                        return answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
