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
    private final OpenStatements statements;
    private boolean closed;

    private RoutedStatement(
            RoutedConnection owner, PhysicalConnection physical, Object target, OpenStatements statements) {
        this.owner = owner;
        this.physical = physical;
        this.target = target;
        this.statements = statements;
    }

    static <S extends Statement> S of(
            RoutedConnection owner, PhysicalConnection physical, Class<S> type, S target, OpenStatements statements) {
        statements.opened();
        return proxy(type, new RoutedStatement(owner, physical, target, statements));
    }

    static DatabaseMetaData of(RoutedConnection owner, PhysicalConnection physical, DatabaseMetaData target) {
        return proxy(DatabaseMetaData.class, new RoutedStatement(owner, physical, target, new OpenStatements()));
    }

    private static <S> S proxy(Class<S> type, RoutedStatement handler) {
        return type.cast(
                Proxy.newProxyInstance(RoutedStatement.class.getClassLoader(), new Class<?>[] {type}, handler));
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
            case "closeOnCompletion" -> closeOnCompletion();
            case "equals" -> arguments != null && proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> call(method, arguments);
        };
    }

    private @Nullable Object execute(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        long seen = owner.beforeExecution(physical);
        Object result;
        try {
            result = call(method, arguments);
        } catch (SQLException failure) {
            owner.afterFailure(physical, failure);
            throw failure;
        }
        owner.afterExecution(physical, seen);
        return result;
    }

    private @Nullable Object close() throws SQLException {
        if (!closed && target instanceof Statement statement) {
            end();
            statement.close();
        }
        return null;
    }

    private void end() {
        closed = true;
        statements.ended(this);
    }

    /** Takes note of a close by the last result. */
    void endIfClosed() throws SQLException {
        if (!closed && target instanceof Statement statement && statement.isClosed()) {
            end();
        }
    }

    private @Nullable Object closeOnCompletion() throws SQLException {
        if (target instanceof Statement statement) {
            statement.closeOnCompletion();
            statements.endsByItself(this);
        }
        return null;
    }

    private @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
        owner.asks();
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
            if (cause instanceof SQLException failure) {
                owner.routes.failed(physical, failure);
            }
            throw cause;
        }
    }
}
