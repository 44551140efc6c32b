package dev.levee.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a cache, held by Caffeine, which bounds their number and frees their memory.
 *
 * <p>Whether an entry may still be served is decided here, by its own deadline: Caffeine's {@code expireAfterWrite}
 * takes one duration for all, and lets an entry that is replaced within a second keep the age of the one before.
 * Caffeine's ticker therefore need not be right, only never early, and is the time of the latest write: a hit reads the
 * real clock once instead of twice.
 *
 * <p>To drop all entries is to begin another <i>generation</i>, an empty cache, in one step: what still holds the one
 * before, such as a load or a write that began earlier, puts its entry where no caller looks any more. See ADR 21.
 */
final class Entries<K, V> {
    /** More than the second by which Caffeine may overestimate the age of an entry. */
    private static final long SLACK = 2_000_000_000L;

    /** The entries that belong together: those that were put since all were dropped last. */
    static final class Generation<V> {
        private final com.github.benmanes.caffeine.cache.Cache<Object, CacheEntry<V>> entries;

        private Generation(com.github.benmanes.caffeine.cache.Cache<Object, CacheEntry<V>> entries) {
            this.entries = entries;
        }
    }

    private final Caffeine<Object, Object> caffeine;
    private final NanoClock clock;
    private final RandomGenerator random;
    private final double jitter;
    private final long lifeNanos;
    private final boolean expires;
    private final AtomicLong latest = new AtomicLong();
    private volatile Generation<V> current;

    Entries(CacheConfig<K, V> config, Environment environment, @Nullable CacheTotals totals) {
        clock = environment.clock();
        random = environment.random();
        jitter = config.expiryJitter();
        lifeNanos = config.expireAfterNanos();
        expires = lifeNanos < Nanos.NEVER;
        // Maintenance runs on the thread that makes it necessary: no pool with a queue, and tests see its effect.
        caffeine = Caffeine.newBuilder().maximumSize(config.maxSize()).executor(Runnable::run);
        if (expires) {
            latest.set(clock.nanoTime());
            caffeine.expireAfterWrite(Duration.ofNanos(Nanos.add(lifeNanos, SLACK)))
                    .ticker(latest::get);
        }
        if (totals != null) {
            caffeine.evictionListener((key, entry, cause) -> {
                if (cause == RemovalCause.SIZE) {
                    totals.evictions.increment();
                }
            });
        }
        current = new Generation<>(caffeine.build());
    }

    /** Returns the generation that callers are served from now. */
    Generation<V> current() {
        return current;
    }

    /** Returns the entry of a key that has not expired, or null. */
    @Nullable CacheEntry<V> live(K key) {
        return live(key, current);
    }

    @Nullable CacheEntry<V> live(K key, Generation<V> generation) {
        CacheEntry<V> entry = generation.entries.getIfPresent(key);
        return entry == null || (expires && entry.isExpired(clock.nanoTime())) ? null : entry;
    }

    /**
     * Makes an entry that begins its life now. Not called under a lock: the clock and the random generator are the
     * user's.
     */
    CacheEntry<V> stamp(V value) {
        if (!expires) {
            return new CacheEntry<>(value, 0, 0);
        }
        long life = jitter == 0.0 ? lifeNanos : lifeNanos - (long) (lifeNanos * jitter * random.nextDouble());
        return new CacheEntry<>(value, clock.nanoTime(), life);
    }

    void put(K key, CacheEntry<V> entry, Generation<V> generation) {
        if (expires) {
            latest.accumulateAndGet(entry.writtenAt, (a, b) -> b - a > 0 ? b : a);
        }
        generation.entries.put(key, entry);
    }

    void remove(K key, Generation<V> generation) {
        generation.entries.invalidate(key);
    }

    /** Begins another generation. */
    void removeAll() {
        current = new Generation<>(caffeine.build());
    }

    long size() {
        return current.entries.estimatedSize();
    }
}
