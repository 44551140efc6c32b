package dev.levee.cache;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the values of many keys by one call of the store behind a cache, such as {@code select ... where id in (...)}.
 *
 * <p>{@link Cache#getAll} asks it for the keys that it neither has nor finds in flight; single gets ask {@link #load},
 * or, if the cache {@linkplain CacheConfig.Builder#gather gathers} them, this. Like {@link Loader} it is called outside
 * of any lock, may block, and must be thread-safe. Blocking {@code getAll} calls it on the thread of its caller, in
 * that caller's {@code CallContext}; for asynchronous and gathered loads it is called on a thread of the environment's
 * executor, in the context of no caller.
 *
 * <p>What becomes of the answer:
 *
 * <ul>
 *   <li>A key without a value in the map, or with null, is absent.
 *   <li>A key that was not asked for is ignored: other loads and invalidations of it may be under way.
 *   <li>If it throws, all keys have failed; with a {@link PartialLoadException} those alone that are among its
 *       failures, and those that it does not mention are absent.
 *   <li>A map that is null is a failure.
 * </ul>
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
@FunctionalInterface
public interface BulkLoader<K, V> extends Loader<K, V> {
    /**
     * Reads the values of keys.
     *
     * @param keys at least one, each once; unmodifiable
     * @return the values; read once, before the loads end, and not kept
     * @throws Exception if they cannot be read; nothing is cached then
     */
    Map<? extends K, ? extends V> loadAll(Set<K> keys) throws Exception;

    /**
     * Reads one value: by default the one that {@link #loadAll} returns for this key alone, or its failure of a
     * {@link PartialLoadException}.
     *
     * @param key not null
     * @return the value, or null if there is none
     * @throws Exception if it cannot be read; nothing is cached then
     */
    @Override
    @SuppressWarnings("FunctionalInterfaceMethodChanged") // a lambda that reads many keys reads one as well
    default @Nullable V load(K key) throws Exception {
        try {
            return loadAll(Set.of(key)).get(key);
        } catch (PartialLoadException partial) {
            partial.throwFailureOf(key);
            return partial.<K, V>values().get(key);
        }
    }
}
