package dev.levee.cache;

import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What is under way for each key, and the only one who changes entries: each change is one step under the lock of its key, in which
 * no code of the user runs but {@code equals} and {@code hashCode} of keys.
 *
 * <p>Being in this table is what gives a load the right to put its value. Whoever changes the key takes the load out, so there is no
 * epoch to count and nothing to keep for keys for which nothing is under way.
 */
class InFlight<K, V> {
    private final ConcurrentHashMap<K, UnderWay<V>> keys = new ConcurrentHashMap<>();
    private final Entries<K, V> entries;

    InFlight(Entries<K, V> entries) {
        this.entries = entries;
    }

    /**
     * @param load the load to join, if there is one
     * @param writes how many writes of the store are under way
     * @param disturbed whether something else has changed the key while one of the writes was under way
     */
    private record UnderWay<V>(@Nullable PendingLoad<V> load, int writes, boolean disturbed) {
        @Nullable UnderWay<V> orNothing() {
            return load == null && writes == 0 ? null : this;
        }
    }

    /** The load that is under way for the key; the candidate, if it is the first. */
    PendingLoad<V> join(K key, PendingLoad<V> candidate) {
        UnderWay<V> now = keys.compute(key, (k, was) -> {
            if (was == null) {
                return new UnderWay<>(candidate, 0, false);
            }
            return was.load != null ? was : new UnderWay<>(candidate, was.writes, was.disturbed);
        });
        PendingLoad<V> load = now == null ? null : now.load;
        return load == null ? candidate : load;
    }

    /** Ends a load, and puts its entry unless the key has changed since the load began. */
    void leave(K key, PendingLoad<V> flight, @Nullable Entry<V> entry) {
        keys.computeIfPresent(key, (k, was) -> {
            if (was.load != flight) {
                return was;
            }
            if (entry != null) {
                entries.put(k, entry);
            }
            return new UnderWay<V>(null, was.writes, was.disturbed).orNothing();
        });
    }

    /** Puts an entry, or removes the one that is there. */
    void change(K key, @Nullable Entry<V> entry) {
        keys.compute(key, (k, was) -> {
            set(k, entry);
            return was == null ? null : new UnderWay<V>(null, was.writes, true).orNothing();
        });
    }

    void removeAll() {
        for (K key : keys.keySet()) {
            keys.computeIfPresent(key, (k, was) -> new UnderWay<V>(null, was.writes, true).orNothing());
        }
        entries.removeAll();
    }

    void beginWrite(K key) {
        keys.compute(key, (k, was) -> {
            if (was == null) {
                return new UnderWay<>(null, 1, false);
            }
            return new UnderWay<>(was.load, was.writes + 1, was.disturbed || was.writes > 0);
        });
    }

    /** Ends a write, and puts its entry if it was the only change; without an entry, or not alone, removes the one that is there. */
    void endWrite(K key, @Nullable Entry<V> entry) {
        keys.computeIfPresent(key, (k, was) -> {
            set(k, was.disturbed ? null : entry);
            return new UnderWay<V>(null, was.writes - 1, was.disturbed).orNothing();
        });
    }

    private void set(K key, @Nullable Entry<V> entry) {
        if (entry == null) {
            entries.remove(key);
        } else {
            entries.put(key, entry);
        }
    }

    int size() {
        return keys.size();
    }
}
