package dev.levee.core.policy;

import dev.levee.core.Invocation;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import java.lang.reflect.InvocationTargetException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** A source of a {@link Fallback} that calls the same method of another client. See ADR 69. */
final class SubstituteClient implements BiFunction<Invocation, Throwable, @Nullable Object> {
    private final Object substitute;

    <I> SubstituteClient(Class<I> type, I substitute) {
        if (!Require.nonNull("type", type).isInterface()) {
            throw new IllegalArgumentException("type must be an interface, but was " + type.getName());
        }
        this.substitute = Require.nonNull("substitute", substitute);
    }

    Object substitute() {
        return substitute;
    }

    @Override
    public @Nullable Object apply(Invocation call, Throwable failure) {
        try {
            return call.method().invoke(substitute, call.arguments().toArray());
        } catch (InvocationTargetException thrown) {
            Throwable cause = thrown.getTargetException();
            throw Unchecked.<RuntimeException>asDeclared(
                    cause instanceof UnsupportedOperationException ? failure : cause);
        } catch (IllegalAccessException thrown) {
            throw new IllegalStateException(thrown);
        }
    }
}
