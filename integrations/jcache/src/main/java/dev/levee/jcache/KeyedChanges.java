package dev.levee.jcache;

import dev.levee.cache.Cache;
import dev.levee.cache.CachedValue;
import dev.levee.core.internal.KeyLocks;
import dev.levee.core.internal.StackRoom;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Changes of keys that depend on what is there, one after the other for each key.
 *
 * <p>A change looks at what is there, decides without a lock, and holds one while it looks again and changes: if it is
 * not the same object any more, once more. The lock is one that keys share. Under it runs the cache of Levee and no
 * loader, writer, policy or {@code equals} of a value: whatever would have to is not supported. A value that a load
 * brings meanwhile needs no lock: a change takes the right from it to be cached. See ADR 113.
 */
final class KeyedChanges<K, V> {
    private final Cache<K, V> cache;
    private final PolicyLives lives;
    private final KeyLocks locks = new KeyLocks();

    KeyedChanges(Cache<K, V> cache, PolicyLives lives) {
        this.cache = cache;
        this.lives = lives;
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
        StackRoom.require();
        while (true) {
            CachedValue<V> entry = cache.getEntry(key);
            V seen = entry == null ? null : entry.value();
            KeyStep<V> step = decide.apply(seen);
            if (step.keeps) {
                return new Changed<>(seen, false);
            }
            Duration life = step.next == null ? null : lives.ofPut(entry);
            if (changes(key, seen, step.next, life)) {
                return new Changed<>(seen, true);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // the object that was decided about
    private boolean changes(K key, @Nullable V seen, @Nullable V next, @Nullable Duration life) {
        ReentrantLock lock = locks.of(key);
        lock.lock();
        try {
            CachedValue<V> now = cache.getEntry(key);
            if ((now == null ? null : now.value()) != seen) {
                return false;
            }
            if (next == null) {
                cache.invalidate(key);
            } else {
                put(key, next, life);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    void put(K key, V value, @Nullable Duration life) {
        if (life == null) {
            cache.put(key, value);
        } else {
            cache.put(key, value, life);
        }
    }
}
