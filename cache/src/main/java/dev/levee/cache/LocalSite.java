package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/** A {@link LoadSite} over the parts of a {@link LocalCache}. */
final class LocalSite<K, V> implements LoadSite<K, V> {
    private final String name;
    private final Entries<K, V> entries;
    private final InFlight<K, V> inFlight;
    private final Loads<K, V> loads;
    private final NanoClock clock;
    private final long softNanos;
    private final @Nullable CacheTotals totals;

    LocalSite(
            String name,
            Entries<K, V> entries,
            InFlight<K, V> inFlight,
            Loads<K, V> loads,
            NanoClock clock,
            long softNanos,
            @Nullable CacheTotals totals) {
        this.name = name;
        this.entries = entries;
        this.inFlight = inFlight;
        this.loads = loads;
        this.clock = clock;
        this.softNanos = softNanos;
        this.totals = totals;
    }

    @Override
    public @Nullable LoadResult<V> find(K key, Loader<? super K, ? extends V> from) {
        CacheEntry<V> entry = entries.get(key);
        if (entry != null && loads.serves(key, entry, from)) {
            return entry.failure == null ? LoadResult.value(entry.value) : LoadResult.failure(entry.failure, false);
        }
        if (totals != null) {
            totals.misses.increment();
        }
        return null;
    }

    @Override
    public PendingLoad<V> start(K key, PendingLoad<V> candidate) {
        PendingLoad<V> load = inFlight.startLoad(key, candidate);
        if (load != candidate) {
            if (totals != null) {
                totals.sharedLoads.increment();
            }
            return load;
        }
        boolean known = false;
        try {
            CacheEntry<V> there = entries.peek(key, candidate.generation());
            if (there != null && loads.isServed(there)) {
                loads.end(key, candidate, LoadResult.found(there.value)); // those that wait look themselves
            }
            known = true;
            return candidate;
        } finally {
            if (!known) { // a clock, or a key's equals, of the user
                loads.end(key, candidate, LoadResult.failure(new IllegalStateException("not begun"), true));
            }
        }
    }

    @Override
    public LoadResult<V> settle(
            K key,
            PendingLoad<V> load,
            @Nullable V value,
            @Nullable Throwable failure,
            boolean ofCaller,
            long startedAt,
            Origin origin) {
        LoadResult<V> result = null;
        try {
            result = resultOf(key, load, value, failure, ofCaller, startedAt, origin);
            return result;
        } catch (Throwable broken) { // a clock or a key's equals
            result = LoadResult.failure(broken, false);
            return result;
        } finally {
            loads.end(key, load, result);
        }
    }

    private LoadResult<V> resultOf(
            K key,
            PendingLoad<V> load,
            @Nullable V value,
            @Nullable Throwable failure,
            boolean ofCaller,
            long startedAt,
            Origin origin) {
        Throwable why = failure;
        if (why == null) {
            try {
                return loads.loaded(key, load, value, startedAt, origin);
            } catch (Throwable broken) { // a function of the settings, or what settle gets
                why = broken;
            }
        }
        CacheEntry<V> there = entries.peek(key, load.generation());
        return loads.failed(key, load, there, why, ofCaller, origin);
    }

    @Override
    public void limit(K key, PendingLoad<V> load) {
        loads.limit(key, load);
    }

    @Override
    public boolean isLimited() {
        return loads.isLimited();
    }

    @Override
    public long softNanos() {
        return softNanos;
    }

    @Override
    public boolean hasOld(K key) {
        return oldEntry(key) != null;
    }

    private @Nullable CacheEntry<V> oldEntry(K key) {
        if (softNanos >= Nanos.NEVER) {
            return null;
        }
        CacheEntry<V> there = entries.peek(key, entries.current());
        return there != null && entries.lives().mayReplaceFailure(there, clock.nanoTime()) ? there : null;
    }

    @Override
    public @Nullable LoadResult<V> old(K key) {
        CacheEntry<V> old = oldEntry(key);
        return old == null ? null : LoadResult.value(loads.insteadOfWaiting(key, old));
    }

    @Override
    public void count(long nanos, boolean failed) {
        loads.count(nanos, failed);
    }

    @Override
    public long epoch() {
        return entries.marks().epoch();
    }

    @Override
    public RuntimeException seenByWaiter(Throwable failure) {
        return LoadFailures.asSeenByWaiter(name, failure);
    }
}
