package dev.levee.contextpropagation;

import dev.levee.core.ContextCarrier;
import dev.levee.core.internal.Require;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;

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
                ContextSnapshot.Scope scope = captured.setThreadLocals();
                return scope::close;
            };
        };
    }
}
