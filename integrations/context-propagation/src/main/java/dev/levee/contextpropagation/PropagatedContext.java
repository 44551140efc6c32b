package dev.levee.contextpropagation;

import dev.levee.core.ContextCarrier;
import dev.levee.core.internal.Require;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Carries what is registered with Micrometer's context-propagation: each {@code ThreadLocalAccessor} of a
 * {@code ContextRegistry}, such as those of observations, of Spring's security context and of its locale.
 *
 * <pre>{@code
 * Environment environment = Environment.builder().context(PropagatedContext.carrier()).build();
 * }</pre>
 *
 * <p>The values are handed on as they are: an accessor whose value is mutable, as Spring's security context is, lets
 * all attempts of a call share it. See {@link ContextCarrier} for what that means. Not needed beside a carrier of its
 * own for the same thing.
 *
 * @since 0.1
 */
public final class PropagatedContext {
    private PropagatedContext() {}

    /**
     * Returns the carrier of all that is registered with the global registry. What the caller does not have is taken
     * off the other thread meanwhile.
     *
     * @return the carrier
     */
    public static ContextCarrier carrier() {
        return carrier(ContextSnapshotFactory.builder().clearMissing(true).build());
    }

    /**
     * Returns the carrier of what a factory captures.
     *
     * @param factory says which registry, and what is left out; make it with {@code clearMissing(true)}, or a value of
     *     the other thread is seen where the caller has none
     * @return the carrier
     * @throws NullPointerException if {@code factory} is null
     */
    public static ContextCarrier carrier(ContextSnapshotFactory factory) {
        Require.nonNull("factory", factory);
        return () -> {
            ContextSnapshot captured = factory.captureAll();
            return () -> {
                ContextSnapshot before = factory.captureAll();
                try {
                    ContextSnapshot.Scope scope = captured.setThreadLocals();
                    return () -> close(scope, before);
                } catch (Throwable thrown) {
                    putBack(before, thrown);
                    throw thrown;
                }
            };
        };
    }

    private static void close(ContextSnapshot.Scope scope, ContextSnapshot before) {
        try {
            scope.close();
        } catch (Throwable thrown) {
            putBack(before, thrown);
            throw thrown;
        }
    }

    /** An accessor has thrown, and the library has left the others where they were: the next task would see them. */
    private static void putBack(ContextSnapshot before, Throwable thrown) {
        Set<Object> keys = new LinkedHashSet<>();
        before.setThreadLocals(key -> {
            keys.add(key);
            return false;
        });
        for (Object key : keys) {
            try {
                before.setThreadLocals(key::equals);
            } catch (Throwable again) {
                if (again != thrown) {
                    thrown.addSuppressed(again);
                }
            }
        }
    }
}
