package dev.levee.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.levee.cache.CachedValue.Origin;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import java.time.Duration;
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

        private Generation(com.github.benmanes.caffeine.cache.Cache<Object, CacheEntry<V>> entries) {
            this.entries = entries;
            this.map = entries.asMap();
            this.policy = entries.policy();
            this.sweep = new Sweep<>(map);
        }
    }

    private final Caffeine<Object, Object> caffeine;
    private final NanoClock clock;

    /** What hits read; null if that is the exact clock. */
    private final @Nullable CoarseClock coarse;

    private final Lives<K, V> lives;
    private volatile Generation<V> current;

    Entries(String name, CacheConfig<K, V> config, Environment environment, @Nullable CacheTotals totals) {
        clock = environment.clock();
        coarse = config.coarseClock() ? CoarseClock.of(environment) : null;
        lives = new Lives<>(name, config, environment.random());
        // Maintenance runs on the thread that makes it necessary: no pool with a queue, and tests see its effect.
        caffeine = Caffeine.newBuilder().maximumSize(config.maxSize()).executor(Runnable::run);
        if (totals != null) {
            caffeine.evictionListener((key, entry, cause) -> {
                if (cause == RemovalCause.SIZE) {
                    totals.evictions.increment();
                }
            });
        }
        current = new Generation<>(caffeine.build());
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
        return current.entries.getIfPresent(key);
    }

    /** Whether an entry answers a caller, with nothing else to do. The only decision of a hit. */
    boolean isQuiet(CacheEntry<V> entry) {
        return entry.timeless || (coarse == null ? clock.nanoTime() : coarse.nanoTime()) - entry.quietUntil < 0;
    }

    /** Returns the entry of a key, whatever its age, without counting as a use of it. */
    @Nullable CacheEntry<V> peek(K key, Generation<V> generation) {
        return generation.policy.getIfPresentQuietly(key);
    }

    /**
     * Makes the entry of a value that is put now; null if the value is not to be kept. Not called under a lock: the
     * clock, the random generator and the function of lives are the user's.
     *
     * @param life how long the value is fresh; null for what the settings say
     */
    @Nullable CacheEntry<V> stampPut(K key, V value, @Nullable Duration life) {
        long now = clock.nanoTime();
        return swept(lives.put(key, value, now, life), now);
    }

    /** Makes the entry of what a load has brought; null if it is not to be kept. Not called under a lock. */
    @Nullable CacheEntry<V> stampLoaded(K key, @Nullable V value, long startedAt, Origin origin) {
        long now = clock.nanoTime();
        return swept(
                value == null ? lives.absent(now, origin) : lives.loaded(key, value, now, now - startedAt, origin),
                now);
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
        generation.entries.put(key, entry);
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

    /** Begins another generation. */
    void removeAll() {
        current = new Generation<>(caffeine.build());
    }

    long size() {
        return current.entries.estimatedSize();
    }
}
