package dev.levee.redis.cache;

import dev.levee.cache.Cache;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A cache that does not change a value on a condition: callers in two processes could both find it true, and the
 * promise that one of them wins would be broken without a sign.
 */
abstract class UnconditionalCache<K, V> implements Cache<K, V> {
    private UnsupportedOperationException unsupported(String method) {
        return new UnsupportedOperationException("cache \"" + name() + "\": " + method
                + " is not supported, since callers in two processes could both find the condition true;"
                + " compare and set in the store, and invalidate the key after that");
    }

    /**
     * Not supported: callers in two processes could both find that there is no value.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        throw unsupported("putIfAbsent");
    }

    /**
     * Not supported: callers in two processes could both find that there is no value.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public @Nullable V putIfAbsent(K key, V value, Duration expireAfter) {
        throw unsupported("putIfAbsent");
    }

    /**
     * Not supported: callers in two processes could both find the value that they expect.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public boolean replace(K key, V expected, V value) {
        throw unsupported("replace");
    }

    /**
     * Not supported: callers in two processes could both find the value that they expect.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public boolean replace(K key, V expected, V value, Duration expireAfter) {
        throw unsupported("replace");
    }

    /**
     * Not supported: callers in two processes could both find the value that they expect.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public boolean remove(K key, @Nullable V expected) {
        throw unsupported("remove of an expected value");
    }
}
