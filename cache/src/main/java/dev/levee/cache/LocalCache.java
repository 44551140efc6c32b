package dev.levee.cache;

import dev.levee.cache.CacheConfig.Strategy;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The one implementation of {@link Cache}: entries, the table of what is in flight, and the store.
 *
 * <p>A hit is a look-up, one reading of a clock and one comparison; whatever else there is to decide is up to
 * {@link Loads}.
 *
 * <p><b>Invariants.</b> Entries are changed by {@link InFlight} alone, except that those which are dead are removed and
 * one is replaced by another with the same value. A load that is started is ended on every path, so no waiter is left
 * behind. Loaders and stores are never called under a lock. See ADR 21 and ADR 101.
 */
final class LocalCache<K, V> implements Cache<K, V> {
    private final String name;
    private final @Nullable Loader<K, V> loader;

    /** The store, if the cache writes. */
    private final @Nullable Store<K, V> writes;

    private final CacheConfig<K, V> config;
    private final Environment environment;
    private final @Nullable CacheTotals totals;
    private final Entries<K, V> entries;
    private final InFlight<K, V> inFlight;
    private final KeyWrites<K, V> keyWrites;
    private final EntryMarks<K, V> marks;
    private final Loads<K, V> loads;
    private final LocalConditions<K, V> conditions;

    LocalCache(String name, @Nullable Loader<K, V> loader, CacheConfig<K, V> config, Environment environment) {
        this(name, loader, config, environment, InFlight::new);
    }

    LocalCache(
            String name,
            @Nullable Loader<K, V> loader,
            CacheConfig<K, V> config,
            Environment environment,
            Function<Entries<K, V>, InFlight<K, V>> table) {
        this(name, loader, config, environment, table, new Tags());
    }

    LocalCache(
            String name,
            @Nullable Loader<K, V> loader,
            CacheConfig<K, V> config,
            Environment environment,
            Function<Entries<K, V>, InFlight<K, V>> table,
            Tags tags) {
        this.name = Require.name(name);
        this.loader = loader;
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.writes = config.strategy() == Strategy.CACHE_ASIDE ? null : writable(loader, config.strategy());
        this.totals = config.totals() ? new CacheTotals() : null;
        this.marks = new EntryMarks<>(name, config, tags);
        this.entries = new Entries<>(name, config, marks, environment, totals);
        this.inFlight = table.apply(entries);
        this.keyWrites = new KeyWrites<>(name, inFlight, environment.scheduler());
        this.loads = new Loads<>(name, config, environment, entries, inFlight, totals, loader);
        this.conditions = new LocalConditions<>(entries, inFlight, keyWrites, loads, environment.clock());
        if (loader instanceof Store<K, V> store) {
            store.whenChanged(this::invalidate);
        }
    }

    private static <K, V> Store<K, V> writable(@Nullable Loader<K, V> loader, Strategy strategy) {
        if (loader instanceof Store<K, V> store) {
            return store;
        }
        throw new IllegalArgumentException(
                "store must be a Store when strategy is " + strategy + ", but was " + loader);
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

    // A hit needs room on the stack too: Caffeine does maintenance in some, and must be able to give its lock back.

    @Override
    public @Nullable V get(K key) {
        StackRoom.require();
        CacheEntry<V> entry = entries.get(Require.nonNull("key", key));
        if (entry != null && entries.isQuiet(entry)) {
            hit(entry);
            return entry.value;
        }
        return loads.get(key, entry, loader);
    }

    @Override
    public @Nullable V get(K key, Loader<? super K, ? extends V> loader) {
        StackRoom.require();
        CacheEntry<V> entry = entries.get(Require.nonNull("key", key));
        if (entry != null && entries.isQuiet(entry)) {
            hit(entry);
            return entry.value;
        }
        return loads.get(key, entry, Require.nonNull("loader", loader));
    }

    @Override
    public @Nullable V getIfPresent(K key) {
        StackRoom.require();
        CacheEntry<V> entry = entries.get(Require.nonNull("key", key));
        if (entry != null && entries.isQuiet(entry)) {
            hit(entry);
            return entry.value;
        }
        return loads.getIfPresent(entry);
    }

    private void hit(CacheEntry<V> entry) {
        if (totals != null) {
            totals.countHit(entry);
        }
    }

    @Override
    public @Nullable CachedValue<V> getEntry(K key) {
        CacheEntry<V> entry = entries.peek(Require.nonNull("key", key), entries.current());
        long now = environment.clock().nanoTime();
        Lives<K, V> lives = entries.lives();
        return entry == null || !lives.isServed(entry, now) ? null : lives.show(entry, now);
    }

    @Override
    public boolean refresh(K key) {
        StackRoom.require();
        Require.nonNull("key", key);
        entries.requireOpen();
        if (loader == null) {
            throw new IllegalStateException(subject() + " has no store to load from");
        }
        return loads.startRefresh(key, loader);
    }

    @Override
    public Map<K, V> getAll(Iterable<? extends K> keys) {
        return loads.forms.getAll(keys, loader);
    }

    @Override
    public Map<K, V> getAll(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader) {
        return loads.forms.getAll(keys, Require.nonNull("loader", loader));
    }

    @Override
    public CompletableFuture<@Nullable V> getAsync(K key) {
        return loads.forms.getAsync(key, loader);
    }

    @Override
    public CompletableFuture<@Nullable V> getAsync(K key, Loader<? super K, ? extends V> loader) {
        return loads.forms.getAsync(key, Require.nonNull("loader", loader));
    }

    @Override
    public CompletableFuture<Map<K, V>> getAllAsync(Iterable<? extends K> keys) {
        return loads.forms.getAllAsync(keys, loader);
    }

    @Override
    public CompletableFuture<Map<K, V>> getAllAsync(
            Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader) {
        return loads.forms.getAllAsync(keys, Require.nonNull("loader", loader));
    }

    @Override
    public CompletableFuture<WarmUpReport> warmUp(Iterable<? extends K> keys, int maxConcurrent) {
        return loads.forms.warmUp(keys, maxConcurrent, loader);
    }

    @Override
    public List<K> hottest(int limit) {
        return entries.hottest(Require.range("limit", limit, 0, Integer.MAX_VALUE));
    }

    @Override
    public void put(K key, V value) {
        StackRoom.require();
        Require.nonNull("key", key);
        put(key, Require.nonNull("value", value), null, writes);
    }

    @Override
    public void put(K key, V value, Duration expireAfter) {
        StackRoom.require();
        Require.nonNull("key", key);
        Require.nonNull("value", value);
        put(key, value, Require.nonNull("expireAfter", expireAfter), writes);
    }

    private void put(K key, V value, @Nullable Duration life, @Nullable Store<K, V> store) {
        entries.requireOpen();
        EntryMarks.Marks marked = marks.ofPut(key, value);
        if (store == null) {
            inFlight.change(key, entries.stampPut(key, value, life, marked));
        } else {
            write(key, value, life, marked, store);
        }
    }

    @Override
    public void remove(K key) {
        StackRoom.require();
        Require.nonNull("key", key);
        entries.requireOpen();
        if (writes == null) {
            inFlight.change(key, null);
        } else {
            write(key, null, null, EntryMarks.Marks.PLAIN, writes);
        }
    }

    private void write(K key, @Nullable V value, @Nullable Duration life, EntryMarks.Marks marked, Store<K, V> store) {
        if (value == null) {
            keyWrites.write(key, "delete", () -> store.delete(key), () -> null);
        } else {
            boolean around = config.strategy() == Strategy.WRITE_AROUND;
            keyWrites.write(
                    key,
                    "save",
                    () -> store.save(key, value),
                    () -> around ? null : entries.stampPut(key, value, life, marked));
        }
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value) {
        Require.nonNull("value", value);
        return changeIf(key, LocalConditions.isAbsent(), value, null).value();
    }

    @Override
    public @Nullable V putIfAbsent(K key, V value, Duration expireAfter) {
        Require.nonNull("value", value);
        Require.nonNull("expireAfter", expireAfter);
        return changeIf(key, LocalConditions.isAbsent(), value, expireAfter).value();
    }

    @Override
    public boolean replace(K key, V expected, V value) {
        Require.nonNull("expected", expected);
        Require.nonNull("value", value);
        return changeIf(key, LocalConditions.has(expected), value, null).changed();
    }

    @Override
    public boolean replace(K key, V expected, V value, Duration expireAfter) {
        Require.nonNull("expected", expected);
        Require.nonNull("value", value);
        Require.nonNull("expireAfter", expireAfter);
        return changeIf(key, LocalConditions.has(expected), value, expireAfter).changed();
    }

    @Override
    public boolean remove(K key, @Nullable V expected) {
        Predicate<@Nullable V> condition =
                expected == null ? LocalConditions.isAbsent() : LocalConditions.has(expected);
        return changeIf(key, condition, null, null).changed();
    }

    private LocalConditions.Comparison<V> changeIf(
            K key, Predicate<@Nullable V> condition, @Nullable V value, @Nullable Duration life) {
        StackRoom.require();
        Require.nonNull("key", key);
        Store<K, V> store = writes;
        if (store == null) {
            return conditions.change(
                    key,
                    condition,
                    () -> value == null ? null : entries.stampPut(key, value, life, marks.ofPut(key, value)));
        }
        entries.requireOpen();
        if (value == null) {
            return conditions.write(key, condition, store, "delete", () -> store.delete(key), () -> null);
        }
        EntryMarks.Marks marked = marks.ofPut(key, value);
        boolean around = config.strategy() == Strategy.WRITE_AROUND;
        return conditions.write(
                key,
                condition,
                store,
                "save",
                () -> store.save(key, value),
                () -> around ? null : entries.stampPut(key, value, life, marked));
    }

    @Override
    public void invalidate(K key) {
        StackRoom.require();
        inFlight.change(Require.nonNull("key", key), null);
    }

    @Override
    public void invalidateTag(String tag) {
        marks.invalidate(Require.nonNull("tag", tag));
    }

    @Override
    public void invalidateAll() {
        inFlight.removeAll();
    }

    @Override
    public void close() {
        if (entries.close()) {
            loads.forms.flush();
        }
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, CacheMetrics.CACHE_SIZE, (double) entries.size());
        sink.value(name, CacheMetrics.CACHE_LOADING, inFlight.size());
        sink.value(name, CacheMetrics.CACHE_REFRESHING, loads.refreshing());
        if (marks.haveTags()) {
            sink.value(name, CacheMetrics.CACHE_TAGS, marks.tags());
        }
        if (totals != null) {
            totals.write(name, sink);
        }
    }

    @Override
    public String toString() {
        return subject() + " [" + entries.size()
                + (config.maxWeight() == 0 ? " of " + config.maxSize() : ", weight at most " + config.maxWeight())
                + ", " + strategy() + ", expires after "
                + (config.lifeOf() == null ? Nanos.text(config.expireAfter()) : "a time of its own") + "]";
    }

    private String strategy() {
        return switch (config.strategy()) {
            case CACHE_ASIDE -> "cache-aside";
            case WRITE_THROUGH -> "write-through";
            case WRITE_AROUND -> "write-around";
        };
    }
}
