package dev.levee.cache;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The calls of a cache that are not a {@code get} of one key on this thread: their arguments are checked here. */
final class LoadForms<K, V> {
    /** The loads of no caller. */
    final AsyncLoads<K, V> async;

    private final String name;
    private final Entries<K, V> entries;
    private final Loads<K, V> loads;
    private final LoadSite<K, V> site;
    private final BulkLoads<K, V> bulk;

    LoadForms(
            String name,
            CacheConfig<K, V> config,
            Environment environment,
            Entries<K, V> entries,
            InFlight<K, V> inFlight,
            Loads<K, V> loads,
            @Nullable CacheTotals totals,
            @Nullable Loader<K, V> own) {
        this.name = name;
        this.entries = entries;
        this.loads = loads;
        this.site = new LocalSite<>(
                name, entries, inFlight, loads, environment.clock(), Nanos.of(config.softLoadTimeout()), totals);
        this.bulk = new BulkLoads<>(name, environment, site);
        GatheredLoads<K, V> gathered = GatheredLoads.of(name, config, environment, site, bulk, own);
        this.async = new AsyncLoads<>(name, environment, site, bulk, gathered);
    }

    /** Hands over what has been gathered. */
    void flush() {
        async.flush();
    }

    private Set<K> checked(Iterable<? extends K> keys) {
        StackRoom.require();
        Set<K> asked = BulkAnswer.keys(name, keys);
        entries.requireOpen();
        return asked;
    }

    Map<K, V> getAll(Iterable<? extends K> keys, @Nullable Loader<? super K, ? extends V> from) {
        Set<K> asked = checked(keys);
        Loader<? super K, ? extends V> loader = loads.required(from);
        if (loader instanceof BulkLoader<? super K, ? extends V> many) {
            return bulk.getAll(asked, many, async);
        }
        if (loader instanceof AsyncLoader) {
            return bulk.awaitAll(asked, loader, async);
        }
        return bulk.oneByOne(asked, key -> loads.get(key, entries.get(key), loader));
    }

    CompletableFuture<@Nullable V> getAsync(K key, @Nullable Loader<? super K, ? extends V> from) {
        StackRoom.require();
        Require.nonNull("key", key);
        entries.requireOpen();
        return async.get(key, loads.required(from));
    }

    CompletableFuture<Map<K, V>> getAllAsync(
            Iterable<? extends K> keys, @Nullable Loader<? super K, ? extends V> from) {
        Set<K> asked = checked(keys);
        return async.getAll(asked, loads.required(from));
    }

    CompletableFuture<WarmUpReport> warmUp(
            Iterable<? extends K> keys, int maxConcurrent, @Nullable Loader<? super K, ? extends V> from) {
        Require.range("maxConcurrent", maxConcurrent, 1, Integer.MAX_VALUE);
        Set<K> asked = checked(keys);
        Loader<? super K, ? extends V> loader = loads.required(from);
        return new CacheWarmUp<K, V>(
                        asked,
                        loader instanceof BulkLoader ? CacheWarmUp.MAX_KEYS : 1,
                        maxConcurrent,
                        portion -> async.getAll(portion, loader),
                        key -> loads.isServed(entries.peek(key, entries.current())),
                        entries::isClosed)
                .start();
    }
}
