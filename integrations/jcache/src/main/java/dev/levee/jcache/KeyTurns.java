package dev.levee.jcache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import javax.cache.CacheException;
import org.jspecify.annotations.Nullable;

/**
 * Turns of keys: one thread at a time changes a key through the interface of JSR 107, or runs an entry processor on it.
 *
 * <p>A turn is not a lock of a table: others are waited for without one, at most until the deadline of the call or an
 * interrupt, threads that would wait for each other for ever get an exception, and a thread within its own turn, or in
 * a loader, goes on. See ADR 177.
 */
final class KeyTurns<K> {
    /** Set on a thread that runs a loader. */
    private static final ThreadLocal<@Nullable Boolean> LOADING = new ThreadLocal<>();

    private final String cache;
    private final Scheduler scheduler;
    private final ConcurrentHashMap<K, KeyTurn> taken = new ConcurrentHashMap<>();

    /** What each thread waits for, to find rings of them. */
    private final ConcurrentHashMap<Thread, KeyTurn> waits = new ConcurrentHashMap<>();

    private static final class KeyTurn {
        final Thread owner = Thread.currentThread();
        final Queue<Thread> waiting = new ConcurrentLinkedQueue<>();
        volatile boolean ended;
    }

    KeyTurns(String cache, Scheduler scheduler) {
        this.cache = cache;
        this.scheduler = scheduler;
    }

    /**
     * Does work in the turn of a key.
     *
     * @throws CacheException if the thread is interrupted while it waits for its turn, which leaves its flag set; if
     *     the deadline of the call passes before, or the wait would have no end
     */
    <T extends @Nullable Object> T in(K key, Supplier<T> work) {
        if (LOADING.get() != null) {
            return work.get();
        }
        KeyTurn own = new KeyTurn();
        if (!take(key, own)) {
            return work.get(); // within a turn of this thread
        }
        try {
            return work.get();
        } finally {
            own.ended = true;
            try {
                taken.remove(key, own);
            } finally { // the key may throw, or the stack end; those that come remove it then
                own.waiting.forEach(LockSupport::unpark);
            }
        }
    }

    /** Runs code of a loader, which waits for no turn: what has the turn may wait for the load. */
    static <T extends @Nullable Object> T whileLoading(Supplier<T> load) {
        Boolean before = LOADING.get();
        LOADING.set(Boolean.TRUE);
        try {
            return load.get();
        } finally {
            if (before == null) {
                LOADING.remove();
            }
        }
    }

    private boolean take(K key, KeyTurn own) {
        for (KeyTurn there = taken.putIfAbsent(key, own); there != null; there = taken.putIfAbsent(key, own)) {
            if (there.ended) {
                taken.remove(key, there);
            } else if (there.owner == own.owner) {
                return false;
            } else {
                await(key, there);
            }
        }
        return true;
    }

    private void await(K key, KeyTurn turn) {
        Thread self = Thread.currentThread();
        Deadline deadline = CallContext.current().deadline();
        turn.waiting.add(self);
        waits.put(self, turn); // before the ring is walked, so that one of those that close it sees it
        try {
            refuseRing(key, self, turn);
            while (!turn.ended) {
                if (self.isInterrupted()) {
                    throw new CacheException(
                            "cache \"" + cache + "\": interrupted during another change of the key",
                            new InterruptedException());
                }
                long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
                if (left <= 0) {
                    throw new CacheException(
                            "cache \"" + cache + "\": the deadline passed during another change of the key");
                }
                scheduler.park(this, left);
            }
        } finally {
            waits.remove(self);
            turn.waiting.remove(self);
        }
    }

    private void refuseRing(K key, Thread self, KeyTurn first) {
        int steps = 0;
        for (KeyTurn turn = first; turn != null && !turn.ended && steps++ <= waits.size(); ) {
            if (turn.owner == self) {
                throw new CacheException("cache \"" + cache + "\" cannot change key " + Text.printable(key)
                        + ": the change that it waits for has to wait for it");
            }
            KeyTurn next = waits.get(turn.owner);
            if (turn.ended) { // only before its end is it certain that its thread waits within it
                return;
            }
            turn = next;
        }
    }
}
