package dev.levee.cache;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * Reads the value of a key from the store behind a cache, for example by a method reference to a repository.
 *
 * <p>Called on the thread of a caller that found nothing in the cache, in that caller's {@code CallContext}; on the
 * executor of the environment and in a context of its own when a value is loaded again in the background, or when loads
 * have a time limit. Never called under a lock, so it may block, use other keys of the same cache, and throw any
 * exception. Must be thread-safe: different keys are loaded at once. Guard it with a timeout, since nothing else bounds
 * how long it takes.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
@FunctionalInterface
public interface Loader<K, V> {
    /**
     * Reads one value.
     *
     * @param key not null
     * @return the value, or null if there is none
     * @throws Exception if it cannot be read; nothing is cached then
     */
    @Nullable V load(K key) throws Exception;

    /**
     * Returns this loader with a policy around each of its calls: a timeout, a breaker, a limiter, a bulkhead, or a
     * pipeline of them. Calls block as those of the policy do.
     *
     * @param policy what stands around the calls
     * @return the guarded loader; what the policy refuses is thrown as it is
     * @throws NullPointerException if the policy is null
     */
    default Loader<K, V> guardedBy(Policy policy) {
        return new GuardedLoader<>(this, Require.nonNull("policy", policy));
    }
}
