package dev.levee.examples.shortlink.node;

import dev.levee.core.CallFuture;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * JDBC on a thread of its own, which a cancel ends by cancelling the statement.
 *
 * <p>Never by an interrupt: that would close the file channel of an embedded database for all connections, and a driver
 * that waits for a socket does not even notice it. The future completes when the work has ended and the connection is
 * back in the pool.
 */
final class JdbcCall<T> extends CallFuture<T> {
    private final Object lock = new Object();
    private @Nullable Connection connection;
    private @Nullable Statement running;
    private boolean cancelled;

    private JdbcCall() {}

    /** What is done with a connection. */
    @FunctionalInterface
    interface Work<T> {
        T run(JdbcCall<?> call) throws SQLException;
    }

    static <T> CompletableFuture<T> start(DataSource pool, Executor executor, Work<T> work) {
        JdbcCall<T> call = new JdbcCall<>();
        // A cancel is a message to the database and may block, so not on the thread that asks for it.
        call.onCancel(reason -> executor.execute(call::cancelStatement));
        executor.execute(() -> call.run(pool, work));
        return call;
    }

    private void run(DataSource pool, Work<T> work) {
        T result;
        try (Connection borrowed = pool.getConnection()) {
            connection = borrowed;
            result = work.run(this);
        } catch (Throwable error) {
            completeExceptionally(error);
            return;
        }
        complete(result);
    }

    /** A statement that is cancelled with this call; for the work, on its thread. */
    PreparedStatement prepare(String sql) throws SQLException {
        PreparedStatement statement = Objects.requireNonNull(connection).prepareStatement(sql);
        synchronized (lock) {
            if (cancelled) {
                statement.close();
                throw new SQLTimeoutException("cancelled before it began");
            }
            running = statement;
        }
        return statement;
    }

    /**
     * Lends the connection of this call to a library, on the thread of the work. The statements that the library
     * prepares are cancelled with this call, as those of {@link #prepare} are, and are in one transaction with them if
     * the library begins one.
     */
    DataSource dataSource() {
        Connection borrowed = Objects.requireNonNull(connection);
        Connection lent = proxy(
                Connection.class,
                (proxy, method, arguments) -> method.getName().equals("prepareStatement")
                        ? prepare((String) arguments[0])
                        : method.invoke(borrowed, arguments));
        return proxy(DataSource.class, (proxy, method, arguments) -> lent);
    }

    private static <P> P proxy(Class<P> type, InvocationHandler handler) {
        InvocationHandler unwrapped = (proxy, method, arguments) -> {
            try {
                return handler.invoke(proxy, method, arguments);
            } catch (InvocationTargetException e) {
                throw e.getTargetException();
            }
        };
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, unwrapped));
    }

    private void cancelStatement() {
        Statement statement;
        synchronized (lock) {
            cancelled = true;
            statement = running;
        }
        try {
            if (statement != null) {
                statement.cancel();
            }
        } catch (SQLException e) {
            // It has ended, or the database is gone: either way nothing runs any more.
        }
    }
}
