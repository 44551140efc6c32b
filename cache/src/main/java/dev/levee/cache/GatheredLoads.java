package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Single loads that wait a moment for others, and are then one call of the {@link BulkLoader}.
 *
 * <pre>{@code
 * first load      begins a batch, and sets the timer of its window
 * further loads   join the batch; the one that fills it hands it over
 * end of window   the timer hands it over      --> loadAll on a thread of the executor
 * }</pre>
 *
 * <p><b>Invariants.</b> A load is in one batch, and a batch is handed over once. A batch takes no load after it was
 * taken to be handed over, so it reads the store after each of its loads has begun: an invalidation in between concerns
 * none of those that began after it. No user code runs under the lock. See ADR 104.
 */
final class GatheredLoads<K, V> {
    private final String name;
    private final Environment environment;
    private final LoadSite<K, V> site;
    private final BulkLoads<K, V> bulk;
    private final BulkLoader<K, V> loader;
    private final long windowNanos;
    private final int maxKeys;

    /** Guards {@link #open} and the batches. */
    private final Object lock = new Object();

    /** The batch that takes loads; null if there is none. */
    private @Nullable Gathering<K, V> open;

    /** Loads that will be one call. */
    private static final class Gathering<K, V> {
        final List<K> keys = new ArrayList<>();
        final List<PendingLoad<V>> loads = new ArrayList<>();

        /** Of the caller whose load is the first: what carriers have captured goes with the batch. */
        final CallContext context;

        Scheduler.@Nullable Timer timer;
        boolean taken;

        Gathering(CallContext context) {
            this.context = context;
        }
    }

    /** Returns what gathers the loads of a cache by its own loader, or null if the settings do not say so. */
    static <K, V> @Nullable GatheredLoads<K, V> of(
            String name,
            CacheConfig<K, V> config,
            Environment environment,
            LoadSite<K, V> site,
            BulkLoads<K, V> bulk,
            @Nullable Loader<K, V> own) {
        if (config.gatherMaxKeys() == 1) {
            return null;
        }
        if (!(own instanceof BulkLoader<K, V> many)) {
            throw new IllegalArgumentException("cache \"" + name
                    + "\": store must be a BulkLoader when loads are gathered, but was " + Text.printable(own));
        }
        long window = Nanos.of(config.gatherWindow());
        return new GatheredLoads<>(name, environment, site, bulk, many, window, config.gatherMaxKeys());
    }

    private GatheredLoads(
            String name,
            Environment environment,
            LoadSite<K, V> site,
            BulkLoads<K, V> bulk,
            BulkLoader<K, V> loader,
            long windowNanos,
            int maxKeys) {
        this.name = name;
        this.environment = environment;
        this.site = site;
        this.bulk = bulk;
        this.loader = loader;
        this.windowNanos = windowNanos;
        this.maxKeys = maxKeys;
    }

    boolean isOf(Loader<?, ?> from) {
        return from == loader;
    }

    /** Takes a load that is in flight. */
    void add(K key, PendingLoad<V> load) {
        Gathering<K, V> batch;
        boolean first;
        boolean full;
        CallContext caller = environment.capture();
        synchronized (lock) {
            Gathering<K, V> current = open;
            first = current == null;
            batch = current == null ? new Gathering<>(caller) : current;
            batch.keys.add(key);
            batch.loads.add(load);
            full = batch.keys.size() >= maxKeys;
            batch.taken = full;
            open = full ? null : batch;
        }
        if (full) {
            handOver(batch);
        } else if (first) {
            setTimer(batch);
        }
    }

    private void setTimer(Gathering<K, V> batch) {
        Scheduler.Timer timer;
        try {
            timer = environment.schedule(() -> endOfWindow(batch), windowNanos);
        } catch (Throwable rejected) { // an environment that was closed: its executor decides
            endOfWindow(batch);
            return;
        }
        boolean late;
        synchronized (lock) {
            batch.timer = timer;
            late = batch.taken;
        }
        if (late) {
            timer.cancel();
        }
    }

    private void endOfWindow(Gathering<K, V> batch) {
        if (take(batch)) {
            handOver(batch);
        }
    }

    private boolean take(Gathering<K, V> batch) {
        synchronized (lock) {
            if (batch.taken) {
                return false;
            }
            batch.taken = true;
            open = null;
            return true;
        }
    }

    /** Hands over what has been gathered, without waiting for the end of the window. */
    void flush() {
        Gathering<K, V> batch;
        synchronized (lock) {
            batch = open;
        }
        if (batch != null) {
            endOfWindow(batch);
        }
    }

    /** Hands a batch over that was taken. */
    private void handOver(Gathering<K, V> batch) {
        Scheduler.Timer timer;
        synchronized (lock) {
            timer = batch.timer;
        }
        if (timer != null) {
            timer.cancel();
        }
        AsyncLoads.handOver(environment, name, () -> run(batch), batch.context, rejected -> {
            for (int i = 0; i < batch.keys.size(); i++) {
                site.settle(batch.keys.get(i), batch.loads.get(i), null, rejected, false, 0, Origin.LOADED);
            }
        });
    }

    private void run(Gathering<K, V> batch) {
        Map<K, PendingLoad<V>> newest = new LinkedHashMap<>();
        for (int i = 0; i < batch.keys.size(); i++) {
            newest.put(batch.keys.get(i), batch.loads.get(i));
        }
        Loading work = new Loading(name, batch.keys);
        work.keyBegun();
        batch.loads.forEach(load -> load.work.needsInside(work));
        BulkAnswer<K, V> answer = new BulkAnswer<>(name, site, newest.keySet());
        try {
            bulk.load(newest, work, loader, answer, true);
        } finally {
            work.keyEnded();
            endInvalidated(batch, newest);
        }
    }

    /** Ends loads whose key was invalidated and asked for again within one window, as the later one has ended. */
    private void endInvalidated(Gathering<K, V> batch, Map<K, PendingLoad<V>> newest) {
        for (int i = 0; i < batch.keys.size(); i++) {
            PendingLoad<V> load = batch.loads.get(i);
            PendingLoad<V> ended = newest.get(batch.keys.get(i));
            PendingLoad.LoadResult<V> result = ended == null ? null : ended.result();
            if (load != ended) {
                load.end(
                        result != null
                                ? result
                                : PendingLoad.LoadResult.failure(new IllegalStateException("lost"), true));
            }
        }
    }
}
