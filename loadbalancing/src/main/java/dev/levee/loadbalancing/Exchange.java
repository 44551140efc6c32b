package dev.levee.loadbalancing;

import org.jspecify.annotations.Nullable;

/**
 * Calls the endpoint that a {@link LoadBalancer} picked.
 *
 * <p>A lambda is enough; a checked exception passes through unwrapped.
 *
 * @param <A> the type of the address
 * @param <T> what it returns, which may be null
 * @param <X> what it throws
 * @since 0.1
 */
@FunctionalInterface
public interface Exchange<A, T extends @Nullable Object, X extends Throwable> {
    /**
     * Calls the endpoint.
     *
     * @param address its address
     * @return the result, which may be null
     * @throws X if the call fails
     */
    T with(A address) throws X;
}
