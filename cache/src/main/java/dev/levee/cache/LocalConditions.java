package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.core.NanoClock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Changes of keys that depend on what they have.
 *
 * <pre>{@code
 * cache-aside   look --- condition --- make the entry --- InFlight.changeIf: still the same entry? changed
 *                 ^------------------------------------------------------- another one: once more
 * writes        turn of the key: look in the cache --- nothing? ask the store --- condition --- write, or not
 * }</pre>
 *
 * <p><b>Invariants.</b> The condition, the functions of the settings and the store are never called under a lock: under
 * that of the key an entry is compared by its identity. That a look must be repeated means that another change has been
 * made. See ADR 163.
 */
final class LocalConditions<K, V> {
    private final Entries<K, V> entries;
    private final InFlight<K, V> inFlight;
    private final KeyWrites<K, V> keyWrites;
    private final Loads<K, V> loads;
    private final NanoClock clock;

    LocalConditions(
            Entries<K, V> entries,
            InFlight<K, V> inFlight,
            KeyWrites<K, V> keyWrites,
            Loads<K, V> loads,
            NanoClock clock) {
        this.entries = entries;
        this.inFlight = inFlight;
        this.keyWrites = keyWrites;
        this.loads = loads;
        this.clock = clock;
    }

    /**
     * What a change has found and done.
     *
     * @param value the value that was there; null if there was none
     * @param changed whether the condition held
     */
    record Comparison<V>(@Nullable V value, boolean changed) {}

    /** A condition that only a key without a value meets. */
    static <V> Predicate<@Nullable V> isAbsent() {
        return held -> held == null;
    }

    /** A condition that only a key with this value meets. */
    @SuppressWarnings("ReferenceEquality") // a value that is not equal to itself is the same one all the same
    static <V> Predicate<@Nullable V> has(V expected) {
        return held -> held != null && (held == expected || held.equals(expected));
    }

    /**
     * Changes the cache alone.
     *
     * @param next makes the entry; called once at most
     */
    Comparison<V> change(K key, Predicate<@Nullable V> condition, KeyWrites.EntryMaker<V> next) {
        CacheEntry<V> made = null;
        boolean isMade = false;
        while (true) {
            entries.requireOpen();
            CacheEntry<V> there = entries.get(key);
            V held = served(there);
            if (!condition.test(held)) {
                return new Comparison<>(held, false);
            }
            if (!isMade) {
                made = next.make();
                isMade = true;
            }
            if (inFlight.changeIf(key, there, made)) {
                return new Comparison<>(held, true);
            }
        }
    }

    /** Changes the store, and then the cache. */
    Comparison<V> write(
            K key,
            Predicate<@Nullable V> condition,
            Store<K, V> store,
            String what,
            KeyWrites.StoreWrite write,
            KeyWrites.EntryMaker<V> next) {
        return keyWrites.writeIf(key, () -> look(key, store), condition, what, write, next);
    }

    private @Nullable V served(@Nullable CacheEntry<V> there) {
        return loads.isServed(there) && there != null ? there.value : null;
    }

    /** Returns what the cache has, or else the store. */
    private KeyWrites.Look<V> look(K key, Store<K, V> store) throws Exception {
        V held = served(entries.get(key));
        if (held != null) {
            return new KeyWrites.Look<>(held, null);
        }
        long epoch = entries.marks().epoch();
        long start = clock.nanoTime();
        boolean failed = true;
        V loaded;
        try {
            loaded = store.load(key);
            failed = false;
        } finally {
            loads.count(clock.nanoTime() - start, failed);
        }
        if (loaded == null) {
            return new KeyWrites.Look<>(null, null);
        }
        return new KeyWrites.Look<>(
                loaded,
                () -> entries.stampLoaded(
                        key, loaded, start, Origin.LOADED, entries.marks().of(key, loaded, epoch)));
    }
}
