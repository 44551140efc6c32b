package dev.levee.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;

/** A data source around another one that shows each call of it, its connections and its statements to a hook. */
final class HookedSource {
    private volatile Hook hook = (method, arguments, proceed) -> proceed.call();

    /** What was called, as {@code Type.method}. */
    final List<String> calls = new CopyOnWriteArrayList<>();

    private final DataSource source;

    HookedSource(DataSource inner) {
        this.source = (DataSource) proxy(DataSource.class, inner);
    }

    interface Hook {
        Object on(String method, Object[] arguments, Callable<Object> proceed) throws Throwable;
    }

    DataSource source() {
        return source;
    }

    void hook(Hook next) {
        hook = next;
    }

    /** Does something else in place of one method. */
    void instead(String method, Callable<Object> action) {
        hook((name, arguments, proceed) -> name.equals(method) ? action.call() : proceed.call());
    }

    long count(String call) {
        return calls.stream().filter(call::equals).count();
    }

    private Object proxy(Class<?> type, Object inner) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            calls.add(type.getSimpleName() + '.' + method.getName());
            Object answer = hook.on(method.getName(), arguments, () -> {
                try {
                    return method.invoke(inner, arguments);
                } catch (InvocationTargetException thrown) {
                    if (thrown.getCause() instanceof Exception cause) {
                        throw cause;
                    }
                    throw (Error) thrown.getCause();
                }
            });
            Class<?> answered = method.getReturnType();
            boolean wraps = answer instanceof Connection
                    || (answer instanceof Statement && Statement.class.isAssignableFrom(answered));
            return wraps && !method.getName().equals("unwrap") && !Proxy.isProxyClass(answer.getClass())
                    ? proxy(answered, answer)
                    : answer;
        });
    }
}
