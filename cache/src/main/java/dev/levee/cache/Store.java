package dev.levee.cache;

/**
 * Reads and writes the values behind a cache, in a table, a service or a file.
 *
 * <p>Needed only where the cache writes ({@link CacheConfig.Builder#writeThrough()}); for reading alone a
 * {@link Loader} is enough. Like loading, saving and deleting happen on the caller's thread and never under a lock, for
 * one key even at the same time if callers write it at the same time: the store decides which write is the last. Must
 * be thread-safe.
 *
 * <p>Provisional: this module grows in later versions.
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
}
