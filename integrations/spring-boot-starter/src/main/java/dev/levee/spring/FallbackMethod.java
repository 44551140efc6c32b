package dev.levee.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A method that answers when a guarded one has failed.
 *
 * @param method the method
 * @param failure for which exceptions it answers; null if it takes none, and answers for all
 */
record FallbackMethod(Method method, @Nullable Class<?> failure) {
    /** Whether it answers; not for what ends a thread or says that the call was called off. */
    boolean answersFor(Throwable thrown) {
        boolean ordinary = thrown instanceof Exception
                && !(thrown instanceof InterruptedException)
                && !(thrown instanceof dev.levee.core.InterruptedWaitException)
                && !(thrown instanceof CancellationException);
        return failure == null ? ordinary : failure.isInstance(thrown) && (ordinary || thrown instanceof Error);
    }

    @Nullable Object answer(Object target, @Nullable Object[] arguments, Throwable thrown) throws Throwable {
        @Nullable Object[] all = arguments;
        if (failure != null) {
            all = Arrays.copyOf(arguments, arguments.length + 1);
            all[arguments.length] = thrown;
        }
        try {
            return method.invoke(target, all);
        } catch (InvocationTargetException wrapped) {
            Throwable cause = wrapped.getCause();
            throw cause == null ? wrapped : cause;
        }
    }
}
