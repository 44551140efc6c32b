package dev.levee.jcache;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.cache.Cache;
import org.jspecify.annotations.Nullable;

/**
 * What a cache holds: the keys of one moment, each with the value that it has when its turn comes. Not thread-safe; the
 * cache may change meanwhile.
 */
final class HeldEntries<K, V> implements Iterator<Cache.Entry<K, V>> {
    private final Iterator<K> keys;
    private final Function<K, @Nullable V> read;
    private final Consumer<K> remove;
    private Cache.@Nullable Entry<K, V> next;
    private Cache.@Nullable Entry<K, V> last;

    /**
     * Begins with the first of some keys.
     *
     * @param read returns the value of a key without a load, or null
     */
    HeldEntries(Iterable<K> keys, Function<K, @Nullable V> read, Consumer<K> remove) {
        this.keys = keys.iterator();
        this.read = read;
        this.remove = remove;
    }

    @Override
    public boolean hasNext() {
        while (next == null && keys.hasNext()) {
            K key = keys.next();
            V value = read.apply(key);
            if (value != null) {
                next = new ExternalStore.Written<>(key, value);
            }
        }
        return next != null;
    }

    @Override
    public Cache.Entry<K, V> next() {
        Cache.Entry<K, V> entry = hasNext() ? next : null;
        if (entry == null) {
            throw new NoSuchElementException("the cache has no more entries");
        }
        last = entry;
        next = null;
        return entry;
    }

    @Override
    public void remove() {
        Cache.Entry<K, V> entry = last;
        if (entry == null) {
            throw new IllegalStateException("there is no entry to remove");
        }
        last = null;
        remove.accept(entry.getKey());
    }
}
