package dev.levee.cache;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.SafeLog;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes of a cache to its store: one at a time for each key, and what becomes of the cached value then.
 *
 * <pre>{@code
 * the store has it              the cache has it too (write-through), or no value (write-around)
 * nothing was written           the cache is as before
 * it is not known               the cache has no value
 * the cache cannot keep it      the cache has no value, and the write has succeeded
 * }</pre>
 *
 * See ADR 109.
 */
final class KeyWrites<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Cache.class);

    private final String name;
    private final InFlight<K, V> inFlight;
    private final WriteTurn.Lines<K> lines;

    KeyWrites(String name, InFlight<K, V> inFlight, Scheduler scheduler) {
        this.name = name;
        this.inFlight = inFlight;
        this.lines = new WriteTurn.Lines<>(name, scheduler);
    }

    /** Writes the store. */
    @FunctionalInterface
    interface StoreWrite {
        void run() throws Exception;
    }

    /** Makes the entry of what was written; not called under a lock. */
    @FunctionalInterface
    interface EntryMaker<V> {
        @Nullable CacheEntry<V> make();
    }

    /**
     * Writes the store, and then the cache.
     *
     * @param what for messages
     * @param stamp makes the entry, or none
     */
    void write(K key, String what, StoreWrite write, EntryMaker<V> stamp) {
        WriteTurn turn = lines.take(key);
        try {
            Entries.Generation<V> begun = inFlight.beginWrite(key);
            boolean written = false;
            boolean untouched = false;
            try {
                write.run();
                written = true;
            } catch (Throwable failure) {
                untouched = !mayHaveWritten(failure);
                throw LoadFailures.asSeenByCaller(name, what, failure, !untouched);
            } finally {
                if (untouched) {
                    inFlight.endWriteWithoutChange(key);
                } else {
                    inFlight.endWrite(key, begun, written ? stamped(stamp) : null);
                }
            }
        } finally {
            lines.end(key, turn);
        }
    }

    /** A value that cannot be kept is dropped: the store has it, so the write has succeeded. */
    private @Nullable CacheEntry<V> stamped(EntryMaker<V> stamp) {
        try {
            return stamp.make();
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "cache \"{}\": a value that was written could not be kept, and is dropped", name, thrown);
            return null;
        }
    }

    /** Whether the store may have been changed. Only what core takes for sure, a retry too, is taken for sure here. */
    private static boolean mayHaveWritten(Throwable failure) {
        try {
            return Outcomes.mayHaveRun(Outcomes.judgeBlocking(OutcomeRule.standard(), null, failure), failure);
        } catch (Throwable broken) { // the methods of an exception are code of the user
            return true;
        }
    }

    int size() {
        return lines.size();
    }
}
