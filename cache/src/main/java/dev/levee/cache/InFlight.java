package dev.levee.cache;

import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The loads and writes in flight for each key, and the one place that changes entries.
 *
 * <pre>{@code
 * key absent                       nothing in flight
 * Activity(load, writes, disturbed)
 *   load        may put its value when it ends; null if there is none, or it has lost that right
 *   writes      how many writes of the store are in flight
 *   disturbed   the key has been changed otherwise during one of them: only the store knows what it holds
 *
 * startLoad   load = candidate, unless there is one     change       load = null, disturbed = true
 *             of the current generation                 beginWrite   writes + 1, disturbed if there was one
 * endLoad     load = null, its entry is put             endWrite     writes - 1, load = null, entry put or removed
 * ..Without   load = null, the entry is removed             ..WithoutChange   writes - 1
 *
 * removeAll   another generation of entries: loads and writes that began in the one before put nothing in this one
 * }</pre>
 *
 * <p><b>Invariants.</b> Each change is one step under the lock of its key, in which no code of the user runs but
 * {@code equals} and {@code hashCode} of keys. To be in this table is what gives a load the right to put its value: a
 * change of the key takes the load out. So there are no versions to count, and nothing is kept for keys without
 * anything in flight. The current generation is read under the lock of the key: what was put or loaded in it, was so
 * after it had begun. See ADR 21, and ADR 106 for how that is checked.
 */
class InFlight<K, V> {
    private final ConcurrentHashMap<K, Activity<V>> keys = new ConcurrentHashMap<>();
    private final Entries<K, V> entries;

    /** One write, and nothing else. */
    private final Activity<V> oneWrite = new Activity<>(null, 1, false);

    InFlight(Entries<K, V> entries) {
        this.entries = entries;
    }

    /**
     * What is in flight for a key.
     *
     * @param load the load to wait for, or null
     * @param writes how many writes of the store are in flight
     * @param disturbed whether something else has changed the key while one of the writes was in flight
     */
    private record Activity<V>(@Nullable PendingLoad<V> load, int writes, boolean disturbed) {
        @Nullable Activity<V> orNull() {
            return load == null && writes == 0 ? null : this;
        }
    }

    /** Returns the load that is in flight for the key; the candidate, if there was none that it may share. */
    PendingLoad<V> startLoad(K key, PendingLoad<V> candidate) {
        Activity<V> now = keys.compute(key, (k, was) -> {
            Entries.Generation<V> current = entries.current();
            if (was != null && was.load != null && was.load.isOf(current)) {
                return was;
            }
            candidate.beginIn(current, entries.marks().epoch());
            return was == null
                    ? new Activity<>(candidate, 0, false)
                    : new Activity<>(candidate, was.writes, was.disturbed);
        });
        PendingLoad<V> load = now == null ? null : now.load;
        return load == null ? candidate : load;
    }

    /** Ends a load, and puts its entry unless the key has changed since the load began. */
    void endLoad(K key, PendingLoad<V> ended, @Nullable CacheEntry<V> entry) {
        keys.computeIfPresent(key, (k, was) -> {
            if (was.load != ended) {
                return was;
            }
            if (entry != null) {
                entries.put(k, entry, ended.generation());
            }
            return new Activity<V>(null, was.writes, was.disturbed).orNull();
        });
    }

    /** Ends a load that has found no value, or one that is not kept: removes the entry that is there likewise. */
    void endLoadWithout(K key, PendingLoad<V> ended) {
        keys.computeIfPresent(key, (k, was) -> {
            if (was.load != ended) {
                return was;
            }
            entries.remove(k, ended.generation());
            return new Activity<V>(null, was.writes, was.disturbed).orNull();
        });
    }

    /** Puts an entry, or removes the one that is there. */
    void change(K key, @Nullable CacheEntry<V> entry) {
        keys.compute(key, (k, was) -> {
            set(k, entry, entries.current());
            return was == null ? null : new Activity<V>(null, was.writes, true).orNull();
        });
    }

    /**
     * Puts an entry, or removes the one that is there, if it is still the one that was seen.
     *
     * @param seen what {@link Entries#get} returned
     * @return whether it was, and the key has changed; otherwise nothing has
     */
    boolean changeIf(K key, @Nullable CacheEntry<V> seen, @Nullable CacheEntry<V> entry) {
        boolean[] changed = new boolean[1];
        keys.compute(key, (k, was) -> {
            Entries.Generation<V> current = entries.current();
            if (entries.peek(k, current) != seen) {
                return was;
            }
            changed[0] = true;
            set(k, entry, current);
            return was == null ? null : new Activity<V>(null, was.writes, true).orNull();
        });
        return changed[0];
    }

    void removeAll() {
        entries.removeAll();
    }

    /** Begins a write, and returns the generation in which it began. */
    Entries.Generation<V> beginWrite(K key) {
        Entries.Generation<V> begun = entries.current();
        if (keys.putIfAbsent(key, oneWrite) != null) { // or computed, which costs more
            keys.compute(key, (k, was) -> {
                if (was == null) {
                    return oneWrite;
                }
                return new Activity<>(was.load, was.writes + 1, was.disturbed || was.writes > 0);
            });
        }
        return begun;
    }

    /**
     * Ends a write: puts its entry if it was the only change of the key, else removes the entry that is there.
     *
     * @param begun what {@link #beginWrite} returned
     */
    void endWrite(K key, Entries.Generation<V> begun, @Nullable CacheEntry<V> entry) {
        keys.computeIfPresent(key, (k, was) -> {
            Entries.Generation<V> current = entries.current();
            set(k, was.disturbed || begun != current ? null : entry, current);
            return new Activity<V>(null, was.writes - 1, was.disturbed).orNull();
        });
    }

    /** Ends a write that has changed nothing: what is cached or being loaded is as good as before. */
    void endWriteWithoutChange(K key) {
        keys.computeIfPresent(key, (k, was) -> new Activity<V>(was.load, was.writes - 1, was.disturbed).orNull());
    }

    /**
     * Ends a write that has only read the store: puts the entry of what it read, unless the key has changed since it
     * began.
     *
     * @param begun what {@link #beginWrite} returned
     */
    void endWriteAsLoad(K key, Entries.Generation<V> begun, CacheEntry<V> entry) {
        keys.computeIfPresent(key, (k, was) -> {
            if (!was.disturbed) {
                entries.put(k, entry, begun);
            }
            return new Activity<V>(was.load, was.writes - 1, was.disturbed).orNull();
        });
    }

    private void set(K key, @Nullable CacheEntry<V> entry, Entries.Generation<V> generation) {
        if (entry == null) {
            entries.remove(key, generation);
        } else {
            entries.put(key, entry, generation);
        }
    }

    int size() {
        return keys.size();
    }
}
