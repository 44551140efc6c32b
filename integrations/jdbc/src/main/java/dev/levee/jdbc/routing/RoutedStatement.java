package dev.levee.jdbc.routing;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * A statement of a {@link RoutedConnection}: tells it before and after each execution, and when it is closed. All else
 * is the statement of the pool. Its results are those of the pool too. Also the meta data, for its connection.
 */
final class RoutedStatement implements InvocationHandler {
    private final RoutedConnection owner;
    private final PhysicalConnection physical;
    private final Object target;
    private boolean closed;

    private RoutedStatement(RoutedConnection owner, PhysicalConnection physical, Object target) {
        this.owner = owner;
        this.physical = physical;
        this.target = target;
    }

    static <S extends Statement> S of(RoutedConnection owner, PhysicalConnection physical, Class<S> type, S target) {
        return proxy(owner, physical, type, target);
    }

    static DatabaseMetaData of(RoutedConnection owner, PhysicalConnection physical, DatabaseMetaData target) {
        return proxy(owner, physical, DatabaseMetaData.class, target);
    }

    private static <S> S proxy(RoutedConnection owner, PhysicalConnection physical, Class<S> type, S target) {
        return type.cast(Proxy.newProxyInstance(
                RoutedStatement.class.getClassLoader(),
                new Class<?>[] {type},
                new RoutedStatement(owner, physical, target)));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        String name = method.getName();
        if (name.startsWith("execute")) {
            return execute(method, arguments);
        }
        return switch (name) {
            case "getConnection" -> owner;
            case "close" -> close();
            case "equals" -> arguments != null && proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> call(method, arguments);
        };
    }

    private @Nullable Object execute(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        long seen = owner.beforeExecution(physical);
        Object result = call(method, arguments);
        owner.afterExecution(physical, seen);
        return result;
    }

    private @Nullable Object close() throws SQLException {
        if (!closed && target instanceof Statement statement) {
            closed = true;
            owner.statementClosed(physical);
            statement.close();
        }
        return null;
    }

    private @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
            if (cause instanceof SQLException failure) {
                owner.failed(physical, failure);
            }
            throw cause;
        }
    }
}
