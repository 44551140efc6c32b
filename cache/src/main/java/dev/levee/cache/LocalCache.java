package dev.levee.cache;

import dev.levee.cache.CacheConfig.Strategy;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The one implementation of {@link Cache}: entries, the table of what is in flight, and the store.
 *
 * <pre>{@code
 * get   entry, not expired?  yes: hit
 *                            no:  InFlight.startLoad: a load of this key in flight?
 *                                   no:  load on this thread, without a lock; InFlight.endLoad puts the entry
 *                                   yes: wait for its result; load again if it failed for a reason of its caller
 * }</pre>
 *
 * <p><b>Invariants.</b> Entries are changed by {@link InFlight} alone. A load that is started is ended on every path,
 * so no waiter is left behind. Loaders and stores are never called under a lock. See ADR 21.
 */
final class LocalCache<K, V> implements Cache<K, V> {
    private final String name;
    private final @Nullable Loader<K, V> loader;

    /** The store, with write-through only. */
    private final @Nullable Store<K, V> writes;

    private final CacheConfig<K, V> config;
    private final Environment environment;
    private final @Nullable CacheTotals totals;
    private final Entries<K, V> entries;
    private final InFlight<K, V> inFlight;

    LocalCache(String name, @Nullable Loader<K, V> loader, CacheConfig<K, V> config, Environment environment) {
        this(name, loader, config, environment, InFlight::new);
    }

    LocalCache(
            String name,
            @Nullable Loader<K, V> loader,
            CacheConfig<K, V> config,
            Environment environment,
            Function<Entries<K, V>, InFlight<K, V>> table) {
        this.name = Require.name(name);
        this.loader = loader;
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.writes = config.strategy() == Strategy.WRITE_THROUGH ? writable(loader) : null;
        this.totals = config.totals() ? new CacheTotals() : null;
        this.entries = new Entries<>(config, environment, totals);
        this.inFlight = table.apply(entries);
    }

    private static <K, V> Store<K, V> writable(@Nullable Loader<K, V> loader) {
        if (loader instanceof Store<K, V> store) {
            return store;
        }
        throw new IllegalArgumentException("store must be a Store when strategy is WRITE_THROUGH, but was " + loader);
    }

    static <K, V> CacheConfig<K, V> configured(String name, Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return Require.configured(
                "cache", name, CacheConfig.<K, V>builder(), configure, CacheConfig.Builder<K, V>::build);
    }

    @Override
    public String name() {
        return name;
    }

    private String subject() {
        return "cache \"" + name + '"';
    }

    @Override
    public @Nullable V get(K key) {
        StackRoom.require();
        CacheEntry<V> entry = entries.live(Require.nonNull("key", key));
        if (entry != null) {
            hit();
            return entry.value;
        }
        if (loader == null) {
            throw new IllegalStateException(subject() + " has no store to load from: use get(key, loader)");
        }
        return miss(key, loader);
    }

    @Override
    public @Nullable V get(K key, Loader<? super K, ? extends V> loader) {
        StackRoom.require();
        CacheEntry<V> entry = entries.live(Require.nonNull("key", key));
        if (entry != null) {
            hit();
            return entry.value;
        }
        return miss(key, Require.nonNull("loader", loader));
    }

    @Override
    public @Nullable V getIfPresent(K key) {
        StackRoom.require();
        CacheEntry<V> entry = entries.live(Require.nonNull("key", key));
        if (entry != null) {
            hit();
            return entry.value;
        }
        if (totals != null) {
            totals.misses.increment();
        }
        return null;
    }

    private void hit() {
        if (totals != null) {
            totals.hits.increment();
        }
    }

    private @Nullable V miss(K key, Loader<? super K, ? extends V> from) {
        if (totals != null) {
            totals.misses.increment();
        }
        while (true) {
            PendingLoad<V> mine = new PendingLoad<>(LoadingThread.currentOrNew());
            PendingLoad<V> load = inFlight.startLoad(key, mine);
            if (load == mine) {
                return runLoad(key, mine, from);
            }
            if (totals != null) {
                totals.sharedLoads.increment();
            }
            LoadResult<V> result = load.await(name, key, environment.scheduler());
            if (!result.reload()) {
                if (result.failure() != null) {
                    throw asSeenByWaiter(result.failure());
                }
                return result.value();
            }
            CacheEntry<V> entry = entries.live(key);
            if (entry != null) {
                return entry.value;
            }
        }
    }

    private @Nullable V runLoad(K key, PendingLoad<V> pending, Loader<? super K, ? extends V> from) {
        LoadResult<V> result = null;
        try {
            // An earlier load may have ended between the miss and the start of this one.
            CacheEntry<V> entry = entries.live(key, pending.generation());
            if (entry != null) {
                inFlight.endLoad(key, pending, null);
                result = LoadResult.found(entry.value);
                return entry.value;
            }
            V value = load(key, pending, from);
            inFlight.endLoad(key, pending, value == null ? null : entries.stamp(value));
            result = LoadResult.value(value);
            return value;
        } catch (Throwable failure) {
            result = LoadResult.failure(failure, isOfCaller(failure));
            throw asSeenByCaller("load", failure);
        } finally {
            // No waiter may be left behind, even if a key's equals or the clock is broken.
            try {
                inFlight.endLoad(key, pending, null);
            } finally {
                pending.end(result == null ? LoadResult.failure(new AssertionError("no result"), true) : result);
            }
        }
    }

    private @Nullable V load(K key, PendingLoad<V> pending, Loader<? super K, ? extends V> from) throws Exception {
        CacheTotals counting = totals;
        long start = counting == null ? 0 : environment.clock().nanoTime();
        boolean failed = true;
        pending.owner.begin();
        try {
            V value = from.load(key);
            failed = false;
            return value;
        } finally {
            pending.owner.end();
            if (counting != null) {
                counting.loads.increment();
                counting.loadNanos.add(environment.clock().nanoTime() - start);
                if (failed) {
                    counting.loadFailures.increment();
                }
            }
        }
    }

    /** Whether a load failed for a reason that lies in its call and not in the store. */
    private static boolean isOfCaller(Throwable failure) {
        Deadline deadline = CallContext.current().deadline();
        return failure instanceof InterruptedException
                || failure instanceof InterruptedWaitException
                || Thread.currentThread().isInterrupted()
                || CallState.current().isCalledOff()
                || (deadline != null && deadline.isExpired());
    }

    private RuntimeException asSeenByCaller(String what, Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RefusedException refused) {
            return refused;
        }
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new StoreException(name, what, failure);
    }

    private RuntimeException asSeenByWaiter(Throwable failure) {
        return failure instanceof RefusedException refused
                ? (refused.mayHaveRun() ? refused.detachedAfterRun() : refused.detached())
                : new StoreException(name, "load", failure);
    }

    @Override
    public void put(K key, V value) {
        StackRoom.require();
        Require.nonNull("key", key);
        Require.nonNull("value", value);
        if (writes == null) {
            inFlight.change(key, entries.stamp(value));
        } else {
            write(key, value, writes);
        }
    }

    @Override
    public void remove(K key) {
        StackRoom.require();
        if (writes == null) {
            inFlight.change(Require.nonNull("key", key), null);
        } else {
            write(Require.nonNull("key", key), null, writes);
        }
    }

    private void write(K key, @Nullable V value, Store<K, V> store) {
        CacheEntry<V> written = null;
        Entries.Generation<V> begun = inFlight.beginWrite(key);
        try {
            if (value == null) {
                store.delete(key);
            } else {
                store.save(key, value);
                written = entries.stamp(value);
            }
        } catch (Throwable failure) {
            throw asSeenByCaller(value == null ? "delete" : "save", failure);
        } finally {
            inFlight.endWrite(key, begun, written);
        }
    }

    @Override
    public void invalidate(K key) {
        StackRoom.require();
        inFlight.change(Require.nonNull("key", key), null);
    }

    @Override
    public void invalidateAll() {
        inFlight.removeAll();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, "cache.size", (double) entries.size());
        sink.value(name, "cache.loading", inFlight.size());
        if (totals != null) {
            totals.write(name, sink);
        }
    }

    @Override
    public String toString() {
        return subject() + " [" + entries.size() + " of " + config.maxSize() + ", "
                + (config.strategy() == Strategy.WRITE_THROUGH ? "write-through" : "cache-aside") + ", expires after "
                + Nanos.text(config.expireAfter()) + "]";
    }
}
