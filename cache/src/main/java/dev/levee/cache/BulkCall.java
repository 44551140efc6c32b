package dev.levee.cache;

import dev.levee.core.internal.Text;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One call of a {@link BulkLoader}, and what it says of each key: read while the call lasts, since the map that it
 * returned is code of the user too.
 */
final class BulkCall<K, V> {
    private final Map<K, V> values = new LinkedHashMap<>();
    private final Map<K, Throwable> failures = new LinkedHashMap<>();

    /** What the whole call failed with. */
    private @Nullable Throwable failure;

    private BulkCall() {}

    /** Calls the loader for keys on this thread, as part of a load. Throws nothing. */
    static <K, V> BulkCall<K, V> of(
            String cache, BulkLoader<? super K, ? extends V> loader, Set<K> keys, Loading work) {
        BulkCall<K, V> call = new BulkCall<>();
        try {
            Loading before = work.enter();
            try {
                call.read(cache, loader, Collections.unmodifiableSet(keys));
            } finally {
                Loading.leave(before);
            }
        } catch (PartialLoadException partial) {
            call.take(keys, partial);
        } catch (Throwable thrown) {
            call.failure = thrown;
        }
        return call;
    }

    @SuppressWarnings("unchecked") // a set that cannot be changed may be one of a supertype
    private void read(String cache, BulkLoader<? super K, ? extends V> loader, Set<K> keys) throws Exception {
        Map<?, ? extends V> answer = ((BulkLoader<K, ? extends V>) loader).loadAll(keys);
        if (answer == null) {
            throw new NullPointerException(
                    "the loader of cache \"" + Text.printable(cache) + "\" returned null instead of a map");
        }
        for (K key : keys) {
            V value = answer.get(key);
            if (value != null) {
                values.put(key, value);
            }
        }
    }

    private void take(Set<K> keys, PartialLoadException partial) {
        Map<K, V> read = partial.values();
        Map<K, Throwable> failed = partial.failures();
        for (K key : keys) {
            Throwable why = failed.get(key);
            V value = read.get(key);
            if (why != null) {
                failures.put(key, why);
            } else if (value != null) {
                values.put(key, value);
            }
        }
        if (failed.isEmpty()) { // a copy that was serialized has lost its keys
            failure = partial;
        }
    }

    /** Returns what the whole call failed with, or null. */
    @Nullable Throwable failure() {
        return failure;
    }

    boolean hasFailures() {
        return failure != null || !failures.isEmpty();
    }

    @Nullable Throwable failure(K key) {
        return failure != null ? failure : failures.get(key);
    }

    @Nullable V value(K key) {
        return values.get(key);
    }
}
