package dev.levee.redis.cache;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** Returns how long the settings let the near cache hold a value. */
    static <K, V> Duration life(CacheConfig<K, V> config, K key, HeldValue<V> held) {
        V value = held.value();
        if (value == null) {
            return config.expireAbsentAfter();
        }
        return config.lifeOf() == null
                ? config.expireAfter()
                : Require.nonNull("expireAfter", config.lifeOf().apply(key, value));
    }

    /** Returns the keys of a call, none of them null. */
    static <K> List<K> copied(String cache, Iterable<? extends K> keys) {
        List<K> copy = new ArrayList<>();
        for (K key : Require.nonNull("keys", keys)) {
            copy.add(Require.nonNull("cache \"" + cache + "\": keys[" + copy.size() + ']', key));
        }
        return copy;
    }

    /** A load of many keys. */
    @FunctionalInterface
    interface ManyLoads<K, V> {
        Map<K, HeldValue<V>> load(Collection<K> keys) throws Exception;
    }

    /** Runs a load of many keys on this thread, with the exceptions of a cache. */
    static <K, V> Map<K, HeldValue<V>> directly(String name, Collection<K> keys, ManyLoads<K, V> load) {
        try {
            return load.load(keys);
        } catch (PartialLoadException partial) {
            Map<K, Throwable> seen = new LinkedHashMap<>();
            partial.<K>failures().forEach((key, failure) -> seen.put(key, StoreException.ofLoad(name, failure)));
            throw new PartialLoadException(partial.values(), seen);
        } catch (Throwable failure) {
            throw StoreException.ofLoad(name, failure);
        }
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
