package dev.levee.jcache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Store;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import javax.cache.Cache;
import javax.cache.integration.CacheLoader;
import javax.cache.integration.CacheWriter;
import org.jspecify.annotations.Nullable;

/**
 * The loader and the writer of an application as one store. What they are given and give is copied if the cache copies.
 */
final class ExternalStore<K, V> implements Store<K, V>, BulkLoader<K, V> {
    private final @Nullable CacheLoader<K, V> loader;
    private final @Nullable CacheWriter<? super K, ? super V> writer;
    private final Copies copies;

    ExternalStore(
            @Nullable CacheLoader<K, V> loader, @Nullable CacheWriter<? super K, ? super V> writer, Copies copies) {
        this.loader = loader;
        this.writer = writer;
        this.copies = copies;
    }

    @Override
    public @Nullable V load(K key) {
        K asked = copies.of(key);
        V value = loader == null ? null : ChangeTurns.whileLoading(() -> loader.load(asked));
        return value == null ? null : copies.of(value);
    }

    @Override
    public Map<K, V> loadAll(Set<K> keys) {
        Map<K, V> loaded = new HashMap<>();
        if (loader != null) {
            Set<K> asked = new LinkedHashSet<>();
            keys.forEach(key -> asked.add(copies.of(key)));
            ChangeTurns.whileLoading(() -> loader.loadAll(asked)).forEach((key, value) -> {
                if (key != null && value != null) {
                    loaded.put(key, copies.of(value));
                }
            });
        }
        return loaded;
    }

    @Override
    public void save(K key, V value) {
        if (writer != null) {
            writer.write(new Written<>(copies.of(key), copies.of(value)));
        }
    }

    @Override
    public void delete(K key) {
        if (writer != null) {
            writer.delete(copies.of(key));
        }
    }

    /** What a writer is given, and an iterator returns. */
    record Written<K, V>(K key, V value) implements Cache.Entry<K, V> {
        @Override
        public K getKey() {
            return key;
        }

        @Override
        public V getValue() {
            return value;
        }

        @Override
        public <T> T unwrap(Class<T> type) {
            if (type.isInstance(this)) {
                return type.cast(this);
            }
            throw new IllegalArgumentException("an entry of Levee is no " + type.getName());
        }

        /** Neither key nor value, which may be secret. */
        @Override
        public String toString() {
            return "entry";
        }
    }
}
