package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Loader;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Forms of reads that a {@link TwoTierCache} needs, without a state of their own. */
final class TierReads {
    private TierReads() {}

    static <V> @Nullable V value(@Nullable HeldValue<V> held) {
        return held == null ? null : held.value();
    }

    static <K, V> Map<K, V> values(Map<K, HeldValue<V>> held) {
        Map<K, V> values = new LinkedHashMap<>();
        held.forEach((key, each) -> {
            V value = each.value();
            if (value != null) {
                values.put(key, value);
            }
        });
        return Collections.unmodifiableMap(values);
    }

    static <K, V> BulkLoader<K, HeldValue<V>> oneByOne(Loader<K, HeldValue<V>> load) {
        return keys -> all(keys, load);
    }

    private static <K, V> Map<K, HeldValue<V>> all(Set<K> keys, Loader<K, HeldValue<V>> load) throws Exception {
        Map<K, HeldValue<V>> loaded = new LinkedHashMap<>();
        for (K key : keys) {
            HeldValue<V> held = load.load(key);
            if (held != null) {
                loaded.put(key, held);
            }
        }
        return loaded;
    }

    /** Runs a load on this thread, with the exceptions of a cache. */
    static <K, V> HeldValue<V> direct(String name, K key, Loader<K, HeldValue<V>> load) {
        try {
            HeldValue<V> held = load.load(key);
            if (held == null) {
                throw new IllegalStateException("a load has brought nothing at all");
            }
            return held;
        } catch (Throwable failure) {
            throw StoreException.ofLoad(name, failure);
        }
    }

    /** Runs a read on the executor, in the context of the caller. */
    static <T extends @Nullable Object> CompletableFuture<T> supply(Environment environment, Supplier<T> read) {
        CompletableFuture<T> future = new CompletableFuture<>();
        CallContext context = environment.capture();
        environment.handOver(() -> {
            try {
                future.complete(context.<T, RuntimeException>call(read::get));
            } catch (Throwable failure) {
                future.completeExceptionally(failure);
            }
        });
        return future;
    }
}
