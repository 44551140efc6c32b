package dev.levee.cache;

import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.internal.Require;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is known so far of the keys of one call. Thread-safe. */
final class BulkAnswer<K, V> {
    private final String cache;
    private final LoadSite<K, V> site;
    private final Set<K> keys;

    /** What came of each key. Guarded by itself; under it run equals and hashCode of keys that were in a set before. */
    private final Map<K, LoadResult<V>> results = new LinkedHashMap<>();

    /** What a wait for a key has thrown, as it is. Guarded by {@link #results}. */
    private final Map<K, RuntimeException> thrown = new LinkedHashMap<>();

    BulkAnswer(String cache, LoadSite<K, V> site, Set<K> keys) {
        this.cache = cache;
        this.site = site;
        this.keys = keys;
    }

    /**
     * Returns the keys, each once.
     *
     * @throws NullPointerException if there are none, or one is null
     */
    static <K> Set<K> keys(String cache, Iterable<? extends K> keys) {
        Set<K> asked = new LinkedHashSet<>();
        int place = 0;
        for (K key : Require.nonNull("keys", keys)) {
            if (key == null) {
                throw new NullPointerException("cache \"" + cache + "\": keys[" + place + "] must not be null");
            }
            asked.add(key);
            place++;
        }
        return asked;
    }

    void add(K key, LoadResult<V> result) {
        synchronized (results) {
            results.put(key, result);
        }
    }

    /** Notes what the wait for a key ended with, in place of the result of a load. */
    void addThrown(K key, RuntimeException failure) {
        synchronized (results) {
            thrown.put(key, failure);
        }
    }

    /** Returns the values in the order in which the keys were asked for, or throws what has failed. */
    Map<K, V> valuesOrThrow() {
        Map<K, V> values = new LinkedHashMap<>();
        Map<K, Throwable> failures = new LinkedHashMap<>();
        for (K key : keys) {
            LoadResult<V> result = result(key);
            if (result.failure() != null) {
                failures.put(key, result.failure());
            } else if (result.value() != null) {
                values.put(key, result.value());
            }
        }
        if (failures.isEmpty()) {
            return Collections.unmodifiableMap(values);
        }
        Throwable common = failures.size() == keys.size() ? common(failures) : null;
        if (common != null) {
            throw seen(common);
        }
        failures.replaceAll((key, failure) -> seen(failure));
        throw new PartialLoadException("cache \"" + cache + "\": ", values, failures);
    }

    private LoadResult<V> result(K key) {
        synchronized (results) {
            RuntimeException why = thrown.get(key);
            LoadResult<V> result = results.get(key);
            if (why != null || result == null) {
                return LoadResult.failure(why != null ? why : new IllegalStateException("no result"), false);
            }
            return result;
        }
    }

    /** Returns the failure that all keys have ended with, or null. */
    private static @Nullable Throwable common(Map<?, Throwable> failures) {
        Throwable common = null;
        for (Throwable failure : failures.values()) {
            if (common != null && common != failure) {
                return null;
            }
            common = failure;
        }
        return common;
    }

    private RuntimeException seen(Throwable failure) {
        synchronized (results) {
            for (RuntimeException asItIs : thrown.values()) {
                if (asItIs == failure) {
                    return asItIs;
                }
            }
        }
        return site.seenByWaiter(failure);
    }
}
