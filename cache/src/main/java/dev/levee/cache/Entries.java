package dev.levee.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.EntryMarks.Marks;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a cache, held by Caffeine, which bounds their number.
 *
 * <p>Whether an entry may still be served is decided by its own times ({@link Lives}), and the memory of those that
 * cannot is freed by a {@link Sweep}: Caffeine's own expiry takes one duration for all, or costs each hit several times
 * what it costs now. See ADR 102.
 *
 * <p>To drop all entries is to begin another <i>generation</i>, an empty cache, in one step: what still holds the one
 * before, such as a load or a write that began earlier, puts its entry where no caller looks any more. See ADR 21.
 */
final class Entries<K, V> {
    /** The entries that belong together: those that were put since all were dropped last. */
    static final class Generation<V> {
        private final com.github.benmanes.caffeine.cache.Cache<Object, CacheEntry<V>> entries;
        private final ConcurrentMap<Object, CacheEntry<V>> map;
        private final Policy<Object, CacheEntry<V>> policy;
        private final Sweep<V> sweep;

        /** Whether this is the last generation, that of a closed cache: it takes no entries. */
        private final boolean closed;

        private Generation(com.github.benmanes.caffeine.cache.Cache<Object, CacheEntry<V>> entries, boolean closed) {
            this.entries = entries;
            this.closed = closed;
            this.map = entries.asMap();
            this.policy = entries.policy();
            this.sweep = new Sweep<>(map);
        }
    }

    private final String name;
    private final Caffeine<Object, CacheEntry<V>> caffeine;
    private final EntryMarks<K, V> marks;
    private final NanoClock clock;

    /** What hits read; null if that is the exact clock. */
    private final @Nullable CoarseClock coarse;

    private final Lives<K, V> lives;
    private volatile Generation<V> current;

    /** Held while another generation begins, so that none follows the last one. */
    private final Object turning = new Object();

    Entries(
            String name,
            CacheConfig<K, V> config,
            EntryMarks<K, V> marks,
            Environment environment,
            @Nullable CacheTotals totals) {
        this.name = name;
        this.marks = marks;
        clock = environment.clock();
        coarse = config.coarseClock() ? CoarseClock.of(environment) : null;
        lives = new Lives<>(name, config, environment.random());
        // Maintenance runs on the thread that makes it necessary: no pool with a queue, and tests see its effect.
        caffeine = EntryMarks.<V>bound(config).executor(Runnable::run);
        if (totals != null) {
            caffeine.evictionListener((key, entry, cause) -> {
                if (cause == RemovalCause.SIZE) {
                    totals.evictions.increment();
                }
            });
        }
        current = new Generation<>(caffeine.build(), false);
    }

    /** Returns what computes and reads the times of entries. */
    Lives<K, V> lives() {
        return lives;
    }

    /** Returns the generation that callers are served from now. */
    Generation<V> current() {
        return current;
    }

    /** Returns the entry of a key, whatever its age, for a caller. */
    @Nullable CacheEntry<V> get(K key) {
        CacheEntry<V> entry = current.entries.getIfPresent(key);
        return entry == null || entry.tags == null || !entry.isOutdated() ? entry : dropped(key, entry);
    }

    /** Frees the memory of an entry that is as if it was not there. */
    private @Nullable CacheEntry<V> dropped(K key, CacheEntry<V> outdated) {
        current.map.remove(key, outdated);
        return null;
    }

    /** Whether an entry answers a caller, with nothing else to do. The only decision of a hit. */
    boolean isQuiet(CacheEntry<V> entry) {
        return entry.timeless || (coarse == null ? clock.nanoTime() : coarse.nanoTime()) - entry.quietUntil < 0;
    }

    /** Returns the entry of a key, whatever its age, without counting as a use of it. */
    @Nullable CacheEntry<V> peek(K key, Generation<V> generation) {
        CacheEntry<V> entry = generation.policy.getIfPresentQuietly(key);
        return entry == null || !entry.isOutdated() ? entry : null;
    }

    /**
     * Makes the entry of a value that is put now; null if the value is not to be kept. Not called under a lock: the
     * clock, the random generator and the function of lives are the user's.
     *
     * @param life how long the value is fresh; null for what the settings say
     */
    @Nullable CacheEntry<V> stampPut(K key, V value, @Nullable Duration life, Marks marked) {
        long now = clock.nanoTime();
        return marked.set(swept(lives.put(key, value, now, life), now));
    }

    /** Makes the entry of what a load has brought; null if it is not to be kept. Not called under a lock. */
    @Nullable CacheEntry<V> stampLoaded(K key, @Nullable V value, long startedAt, Origin origin, Marks marked) {
        long now = clock.nanoTime();
        return marked.set(swept(
                value == null ? lives.absent(now, origin) : lives.loaded(key, value, now, now - startedAt, origin),
                now));
    }

    private @Nullable CacheEntry<V> swept(@Nullable CacheEntry<V> entry, long now) {
        if (coarse != null) {
            coarse.observe(now);
        }
        if (entry != null && !entry.timeless) {
            current.sweep.step(lives, lives.lifespan(entry), now);
        }
        return entry;
    }

    void put(K key, CacheEntry<V> entry, Generation<V> generation) {
        if (!generation.closed) {
            generation.entries.put(key, entry);
        }
    }

    void remove(K key, Generation<V> generation) {
        generation.entries.invalidate(key);
    }

    /**
     * Replaces an entry by one with the same value, unless the key has changed. What is invalidated stays so: this is
     * one step, and fails if the entry is gone.
     */
    void replace(K key, CacheEntry<V> was, CacheEntry<V> by) {
        current.map.replace(key, was, by);
    }

    /** Begins another generation; does nothing after {@link #close}. */
    void removeAll() {
        synchronized (turning) {
            if (!current.closed) {
                current = new Generation<>(caffeine.build(), false);
            }
        }
    }

    /** Begins the last generation, which stays empty; returns whether there was another one before. */
    boolean close() {
        synchronized (turning) {
            boolean first = !current.closed;
            current = new Generation<>(caffeine.build(), true);
            return first;
        }
    }

    boolean isClosed() {
        return current.closed;
    }

    /** Throws if this is closed. Only of use where no entry was found: a closed cache has none. */
    void requireOpen() {
        if (current.closed) {
            throw new IllegalStateException("cache \"" + name + "\" is closed");
        }
    }

    EntryMarks<K, V> marks() {
        return marks;
    }

    /** Returns the keys that are most likely to be read again, of those that are served, the likeliest first. */
    @SuppressWarnings("unchecked") // they were put as such
    List<K> hottest(int limit) {
        long now = clock.nanoTime();
        return current.policy
                .eviction()
                .orElseThrow()
                .hottest(entries -> entries.filter(each -> isOfUse(each.getValue(), now))
                        .limit(limit)
                        .map(each -> (K) each.getKey())
                        .toList());
    }

    private boolean isOfUse(CacheEntry<V> entry, long now) {
        return entry.hasValue() && !entry.isOutdated() && lives.isServed(entry, now);
    }

    long size() {
        return current.entries.estimatedSize();
    }
}
