package dev.levee.cache;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Reads and writes the values behind a cache, in a table, a service or a file.
 *
 * <p>Needed only where the cache writes ({@link CacheConfig.Builder#writeThrough()},
 * {@link CacheConfig.Builder#writeAround()}); for reading alone a {@link Loader} is enough. Like loading, saving and
 * deleting happen on the caller's thread and never under a lock. The writes of one key by one cache come one after the
 * other. Must be thread-safe.
 *
 * <p><b>What a failed write means.</b> Nothing was written for certain if it throws a
 * {@link dev.levee.core.RefusedException} of which {@code mayHaveRun} is false, or what
 * {@link dev.levee.core.OutcomeRule#standard()} calls {@code NOT_SENT}, such as a {@code ConnectException}; after
 * anything else it is not known. So a store that does a write in several steps must not throw these as they are after
 * the first: wrap them, or throw {@code detachedAfterRun()}.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public interface Store<K, V> extends Loader<K, V> {
    /**
     * Writes one value, and replaces the one that may be there. When it returns, {@link #load} must see the value.
     *
     * @param key not null
     * @param value not null
     * @throws Exception if it was not written, or if it is not known whether it was
     */
    void save(K key, V value) throws Exception;

    /**
     * Removes one value; does nothing if there is none. When it returns, {@link #load} must not see the value any more.
     *
     * @param key not null
     * @throws Exception if it was not removed, or if it is not known whether it was
     */
    void delete(K key) throws Exception;

    /**
     * Asks to be told of keys whose value has become another one than was written here, without a write by the caller:
     * a write-behind has given one up, for example. A cache in front asks, and drops the value. Default: nothing
     * happens, for stores that do what they are told.
     *
     * @param drop gets such keys, on any thread; does not block
     * @throws NullPointerException if it is null
     */
    default void whenChanged(Consumer<? super K> drop) {
        Require.nonNull("drop", drop);
    }

    /**
     * Returns this store with a policy around each of its calls, writes too: a retry repeats only what its settings
     * call idempotent. Calls block as those of the policy do.
     *
     * @param policy what stands around the calls: a timeout, a breaker, a limiter, a bulkhead, or a pipeline of them
     * @return the guarded store; what the policy refuses is thrown as it is
     * @throws NullPointerException if the policy is null
     */
    @Override
    default Store<K, V> guardedBy(Policy policy) {
        return new GuardedStore<>(this, Require.nonNull("policy", policy));
    }
}
