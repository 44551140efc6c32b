package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
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
    /** What is being read on each thread: a loader that reads the same again would go on for ever. */
    private static final ThreadLocal<@Nullable Set<RunningRead>> RUNNING = new ThreadLocal<>();

    private record RunningRead(Object loader, Object key) {}

    /** Reads values from the store. */
    @FunctionalInterface
    interface ReaderCall<K, V> {
        /** Returns the values of keys; what it has not is absent. */
        @Nullable Map<?, ? extends V> read(Set<K> keys) throws Exception;
    }

    /**
     * Reads values from the store by a loader.
     *
     * @param loader tells one that is running from others
     * @param reading calls it
     */
    record StoreReader<K, V>(Object loader, ReaderCall<K, V> reading) {}

    static <K, V> StoreReader<K, V> one(Loader<? super K, ? extends V> from) {
        return new StoreReader<>(from, keys -> {
            K key = keys.iterator().next();
            V value = from.load(key);
            return value == null ? Map.of() : Map.of(key, value);
        });
    }

    @SuppressWarnings("unchecked") // a set that cannot be changed may be one of a supertype
    static <K, V> StoreReader<K, V> many(BulkLoader<? super K, ? extends V> from) {
        return new StoreReader<>(from, keys -> ((BulkLoader<K, ? extends V>) from).loadAll(keys));
    }

    /**
     * Calls a reader.
     *
     * @throws IllegalStateException if it runs for one of the keys on this thread already
     */
    static <K, V> StoreRead<K, V> of(String cache, Set<K> keys, StoreReader<K, V> reader) throws Exception {
        Set<RunningRead> outer = RUNNING.get();
        Set<RunningRead> running = outer == null ? new HashSet<>() : outer;
        List<RunningRead> own = new ArrayList<>();
        RUNNING.set(running);
        try {
            for (K key : keys) {
                RunningRead begun = new RunningRead(reader.loader, key);
                if (!running.add(begun)) {
                    throw new IllegalStateException("cache \"" + cache + "\" cannot load key " + Text.printable(key)
                            + ": the loader needs the key to load it");
                }
                own.add(begun);
            }
            return read(cache, keys, reader.reading);
        } finally {
            own.forEach(running::remove);
            if (outer == null) {
                RUNNING.remove();
            }
        }
    }

    private static <K, V> StoreRead<K, V> read(String cache, Set<K> keys, ReaderCall<K, V> reader) throws Exception {
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
