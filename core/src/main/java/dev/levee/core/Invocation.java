package dev.levee.core;

import java.lang.reflect.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The method and the arguments of one call of a client that {@link Policy#wrap} guards.
 *
 * <p>A fallback gets it to answer each method in its own way. An {@link Around} of your own finds it by
 * {@code operation instanceof Invocation}, for the operation and for the supplier of a stage alike; calls that are not
 * made through a wrapped client have none. Hand the operation itself on to {@code inner}: a lambda around it hides the
 * method from the policies further in.
 *
 * <p>Immutable, apart from arguments that are not. Never blocks. See ADR 69.
 *
 * @since 0.1
 */
public interface Invocation {
    /**
     * Returns the method of the interface that was called.
     *
     * @return the method; it may be invoked on any object that implements the interface
     */
    Method method();

    /**
     * Returns the arguments.
     *
     * @return one for each parameter, varargs as one array; may contain null; unmodifiable
     */
    List<@Nullable Object> arguments();

    /**
     * Returns what a substitute for the result must be: what the method returns, or what its stage or future completes
     * with, type parameters resolved as far as the client binds them.
     *
     * @return the class, primitive ones included; {@code Object} if more is not known, {@code void} if there is none
     */
    Class<?> resultType();
}
