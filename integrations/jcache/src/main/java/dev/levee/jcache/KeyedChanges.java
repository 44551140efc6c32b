package dev.levee.jcache;

import dev.levee.cache.Cache;
import dev.levee.cache.CachedValue;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Changes of keys that depend on what is there.
 *
 * <p>A change looks at what is there, decides, and lets the cache compare and change in one step: if another value is
 * there by then, once more. No lock is held: the cache orders the changes of a key, and a value that a load brings
 * meanwhile loses the right to be cached. See ADR 113 and ADR 163.
 */
final class KeyedChanges<K, V> {
    /**
     * How often a value of the store that is not kept is compared: without equality each read of it is another one. No
     * other change through this interface comes in between.
     */
    private static final int MAX_COMPARISONS = 3;

    private final Cache<K, V> cache;
    private final PolicyLives lives;
    private final boolean writes;

    /**
     * Makes the changes of a cache.
     *
     * @param writes whether a writer is called, so that the store may have what the cache has not
     */
    KeyedChanges(Cache<K, V> cache, PolicyLives lives, boolean writes) {
        this.cache = cache;
        this.lives = lives;
        this.writes = writes;
    }

    /**
     * What a change of a key comes to.
     *
     * @param next the new value; null to drop the one that is there
     * @param keeps whether nothing changes
     */
    record KeyStep<V>(@Nullable V next, boolean keeps) {
        static <V> KeyStep<V> put(V next) {
            return new KeyStep<>(next, false);
        }

        static <V> KeyStep<V> drop() {
            return new KeyStep<>(null, false);
        }

        static <V> KeyStep<V> keep() {
            return new KeyStep<>(null, true);
        }
    }

    /**
     * What a change has found and done.
     *
     * @param seen the value that was there; null if there was none
     * @param changed whether the condition held
     */
    record Changed<V>(@Nullable V seen, boolean changed) {}

    /**
     * Changes a key.
     *
     * @param decide what the change is, of the value that is there; called again if another one has come meanwhile
     */
    Changed<V> of(K key, Function<@Nullable V, KeyStep<V>> decide) {
        CachedValue<V> entry = cache.getEntry(key);
        V seen = valueOf(entry);
        int comparisons = 0;
        while (true) {
            KeyStep<V> step = decide.apply(seen);
            V next = step.next;
            if (step.keeps) {
                return new Changed<>(seen, false);
            }
            Duration life = next == null ? null : lives.ofPut(entry);
            V stored = null;
            if (next == null) {
                if (removes(key, seen)) {
                    return new Changed<>(seen, true);
                }
            } else if (seen != null) {
                if (replaces(key, seen, next, life)) {
                    return new Changed<>(seen, true);
                }
                if (writes && ++comparisons >= MAX_COMPARISONS && valueOf(cache.getEntry(key)) == null) {
                    put(key, next, life);
                    return new Changed<>(seen, true);
                }
            } else {
                stored = putIfAbsent(key, next, life);
                if (stored == null) {
                    return new Changed<>(null, true);
                }
            }
            entry = cache.getEntry(key);
            seen = stored == null ? valueOf(entry) : stored; // that of a store need not have been kept
        }
    }

    /**
     * Does what an entry processor wants, unless what it saw has changed otherwise than by this interface: then that
     * change came after it. A store that is written gets it in any case that a value was not put in between.
     */
    void finish(K key, InvokedEntry<K, V> entry) {
        V seen = entry.seen();
        V next = entry.step().next();
        if (entry.step().keeps()) {
            return;
        }
        if (next == null) {
            boolean done = seen != null && entry.hasLooked() && cache.remove(key, seen);
            if (!done && (!entry.hasLooked() || (writes && valueOf(cache.getEntry(key)) == null))) {
                cache.remove(key);
            }
            return;
        }
        Duration life = lives.ofPut(entry.found);
        if (!entry.hasLooked() || (writes && seen == null)) {
            put(key, next, life);
        } else if (seen == null) {
            putIfAbsent(key, next, life);
        } else if (!replaces(key, seen, next, life) && writes && valueOf(cache.getEntry(key)) == null) {
            put(key, next, life);
        }
    }

    private @Nullable V valueOf(@Nullable CachedValue<V> entry) {
        return entry == null ? null : entry.value();
    }

    private boolean removes(K key, @Nullable V seen) {
        if (seen == null && writes) {
            cache.remove(key); // the writer deletes what the cache need not have
            return true;
        }
        return cache.remove(key, seen);
    }

    private boolean replaces(K key, V seen, V next, @Nullable Duration life) {
        return life == null ? cache.replace(key, seen, next) : cache.replace(key, seen, next, life);
    }

    private @Nullable V putIfAbsent(K key, V next, @Nullable Duration life) {
        return life == null ? cache.putIfAbsent(key, next) : cache.putIfAbsent(key, next, life);
    }

    void put(K key, V value, @Nullable Duration life) {
        if (life == null) {
            cache.put(key, value);
        } else {
            cache.put(key, value, life);
        }
    }
}
