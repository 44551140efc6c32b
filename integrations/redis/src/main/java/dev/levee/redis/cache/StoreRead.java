package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a store has said of keys: taken from its answer at once, without what it was not asked for.
 *
 * @param values the values that there are
 * @param failures what went wrong with some of the keys; all others without a value are absent
 */
record StoreRead<K, V>(Map<K, V> values, Map<K, Throwable> failures) {
    /** Reads values from the store. */
    @FunctionalInterface
    interface StoreReader<K, V> {
        /** Returns the values of keys; what it has not is absent. */
        @Nullable Map<?, ? extends V> read(Set<K> keys) throws Exception;
    }

    static <K, V> StoreReader<K, V> one(Loader<? super K, ? extends V> from) {
        return keys -> {
            K key = keys.iterator().next();
            V value = from.load(key);
            return value == null ? Map.of() : Map.of(key, value);
        };
    }

    @SuppressWarnings("unchecked") // a set that cannot be changed may be one of a supertype
    static <K, V> StoreReader<K, V> many(BulkLoader<? super K, ? extends V> from) {
        return keys -> ((BulkLoader<K, ? extends V>) from).loadAll(keys);
    }

    /** Calls a reader. */
    static <K, V> StoreRead<K, V> of(String cache, Set<K> keys, StoreReader<K, V> reader) throws Exception {
        Map<?, ? extends V> read;
        Map<Object, Throwable> failed = Map.of();
        try {
            read = reader.read(Collections.unmodifiableSet(new LinkedHashSet<>(keys)));
        } catch (PartialLoadException partial) {
            failed = partial.failures();
            if (failed.isEmpty()) { // a copy that was serialized has lost its keys
                throw partial;
            }
            read = partial.values();
        }
        if (read == null) {
            throw new NullPointerException("the loader of cache \"" + cache + "\" returned null instead of a map");
        }
        Map<K, V> values = new LinkedHashMap<>();
        Map<K, Throwable> failures = new LinkedHashMap<>();
        for (K key : keys) {
            Throwable why = failed.get(key);
            V value = read.get(key);
            if (why != null) {
                failures.put(key, why);
            } else if (value != null) {
                values.put(key, value);
            }
        }
        return new StoreRead<>(values, failures);
    }
}
