package dev.levee.cache;

import dev.levee.core.InterruptedWaitException;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.parts.KeyTurns;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
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
 * A write that depends on what is there looks first, in its turn. See ADR 109 and ADR 163.
 */
final class KeyWrites<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Cache.class);

    private final String name;
    private final InFlight<K, V> inFlight;
    private final WriteLines<K> lines;

    KeyWrites(String name, InFlight<K, V> inFlight, Scheduler scheduler) {
        this.name = name;
        this.inFlight = inFlight;
        this.lines = new WriteLines<>(name, scheduler);
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
        KeyTurns.KeyPlace turn = lines.take(key);
        try {
            run(key, inFlight.beginWrite(key), what, write, stamp);
        } finally {
            lines.end(key, turn);
        }
    }

    private void run(K key, Entries.Generation<V> begun, String what, StoreWrite write, EntryMaker<V> stamp) {
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
    }

    /**
     * What a key was seen to have.
     *
     * @param value the value; null if there is none
     * @param entry makes the entry of a value that was read from the store; null if there is none to make
     */
    record Look<V>(@Nullable V value, @Nullable EntryMaker<V> entry) {}

    /** Looks what a key has, in its turn; may read the store. */
    @FunctionalInterface
    interface Looker<V> {
        Look<V> look() throws Exception;
    }

    /**
     * Looks what a key has, and writes the store and then the cache if that is as it should be. No other write of the
     * key comes in between.
     *
     * @param what for messages
     * @param stamp makes the entry of what was written, or none
     */
    LocalConditions.Comparison<V> writeIf(
            K key,
            Looker<V> looker,
            Predicate<@Nullable V> condition,
            String what,
            StoreWrite write,
            EntryMaker<V> stamp) {
        KeyTurns.KeyPlace turn = lines.take(key);
        try {
            Entries.Generation<V> begun = inFlight.beginWrite(key);
            boolean writes = false;
            EntryMaker<V> keeps = null;
            V held;
            try {
                Look<V> look = looked(looker);
                held = look.value;
                keeps = look.entry;
                writes = condition.test(held);
            } finally {
                if (!writes) {
                    endLook(key, begun, keeps == null ? null : stamped(keeps));
                }
            }
            if (writes) {
                run(key, begun, what, write, stamp);
            }
            return new LocalConditions.Comparison<>(held, writes);
        } finally {
            lines.end(key, turn);
        }
    }

    private Look<V> looked(Looker<V> looker) {
        try {
            return looker.look();
        } catch (Throwable failure) {
            throw LoadFailures.asSeenByCaller(name, "load", failure, false);
        }
    }

    private void endLook(K key, Entries.Generation<V> begun, @Nullable CacheEntry<V> entry) {
        if (entry == null) {
            inFlight.endWriteWithoutChange(key);
        } else {
            inFlight.endWriteAsLoad(key, begun, entry);
        }
    }

    /** A value that cannot be kept is dropped: the store has it, so the write has succeeded. */
    private @Nullable CacheEntry<V> stamped(EntryMaker<V> stamp) {
        try {
            return stamp.make();
        } catch (Throwable thrown) {
            SafeLog.warn(
                    LOG,
                    "cache \"{}\": a value that was written or read could not be kept, and is dropped",
                    name,
                    thrown);
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

    /** The turns of writes, and what is thrown where they do not come. */
    static final class WriteLines<K> extends KeyTurns<K> {
        private final String cache;

        WriteLines(String cache, Scheduler scheduler) {
            super(scheduler);
            this.cache = cache;
        }

        @Override
        protected RuntimeException interrupted() {
            return new InterruptedWaitException("cache", cache, new InterruptedException());
        }

        @Override
        protected RuntimeException late() {
            TimeoutException late = new TimeoutException("the deadline passed during another write of the key");
            return new StoreException(cache, "write in time", late, false);
        }

        @Override
        protected RuntimeException endless(K key) {
            return new IllegalStateException("cache \"" + cache + "\" cannot write key " + Text.printable(key)
                    + ": the write that it waits for has to wait for it");
        }
    }
}
