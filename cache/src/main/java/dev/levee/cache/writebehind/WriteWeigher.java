package dev.levee.cache.writebehind;

import org.jspecify.annotations.Nullable;

/**
 * Returns how many bytes a write occupies while it is accepted and not ended.
 *
 * <p>Called on the thread of the caller, never under a lock, and once for each write. Must be thread-safe. What it
 * throws is thrown to the caller, whose write is not accepted then.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
@FunctionalInterface
public interface WriteWeigher<K, V> {
    /**
     * Weighs a write.
     *
     * @param key not null
     * @param value the value, or null if the key is deleted
     * @return bytes, zero or more
     */
    long bytes(K key, @Nullable V value);
}
