package dev.levee.cache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One load of a key, and the threads that wait for it. See ADR 21. */
final class PendingLoad<V> {
    /** The thread that runs the load; one that never waits until the executor has begun a load that it runs. */
    volatile LoadingThread owner;

    /**
     * Whether the executor runs the load, and the caller that began it only waits; written before it is handed over.
     */
    boolean handedOver;

    private final ConcurrentLinkedQueue<Thread> waiters = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable LoadResult<V>> result = new AtomicReference<>();

    /** Where the load puts its value; written before the load is in flight, null until then. */
    private Entries.@Nullable Generation<V> generation;

    PendingLoad(LoadingThread owner) {
        this.owner = owner;
    }

    void beginIn(Entries.Generation<V> where) {
        generation = where;
    }

    boolean isOf(Entries.Generation<V> other) {
        return generation == other;
    }

    Entries.Generation<V> generation() {
        Entries.Generation<V> begun = generation;
        if (begun == null) {
            throw new IllegalStateException("the load has not begun");
        }
        return begun;
    }

    /**
     * How a load ended.
     *
     * @param value the value, or null if the store has none or the load failed
     * @param failure what the load threw, or null
     * @param reload whether the result is one of the call that loaded and not of the store, so that a waiter should
     *     look again: a failure that lies in that call, or an entry that was there already and may be gone by now
     */
    record LoadResult<V>(@Nullable V value, @Nullable Throwable failure, boolean reload) {
        static <V> LoadResult<V> value(@Nullable V value) {
            return new LoadResult<>(value, null, false);
        }

        static <V> LoadResult<V> found(@Nullable V value) {
            return new LoadResult<>(value, null, true);
        }

        static <V> LoadResult<V> failure(Throwable failure, boolean reload) {
            return new LoadResult<>(null, failure, reload);
        }
    }

    boolean hasEnded() {
        return result.get() != null;
    }

    /** Ends the load, unless it has ended, and wakes the threads that wait for it. */
    void end(LoadResult<V> how) {
        result.compareAndSet(null, how);
        for (Thread waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            LockSupport.unpark(waiter);
        }
    }

    /** Waits until the load has ended, the current thread is interrupted, or the deadline of its call has passed. */
    LoadResult<V> await(String cache, Object key, Scheduler scheduler) {
        LoadResult<V> ended = await(cache, key, scheduler, null);
        if (ended == null) {
            throw new IllegalStateException("a wait without a limit has ended");
        }
        return ended;
    }

    /**
     * As above, and at most until a time of its own.
     *
     * @param patience when the caller has something else to go on with; null if it has not
     * @return null if that time has come
     */
    @Nullable LoadResult<V> await(String cache, Object key, Scheduler scheduler, @Nullable Deadline patience) {
        LoadResult<V> ended = result.get();
        if (ended != null) {
            return ended;
        }
        LoadingThread self = LoadingThread.current();
        if (self != null) {
            self.waitFor(this, cache, key);
        }
        Thread thread = Thread.currentThread();
        waiters.add(thread);
        try {
            return park(cache, scheduler, thread, patience);
        } finally {
            waiters.remove(thread);
            if (self != null) {
                self.endWait();
            }
        }
    }

    private @Nullable LoadResult<V> park(
            String cache, Scheduler scheduler, Thread thread, @Nullable Deadline patience) {
        Deadline deadline = CallContext.current().deadline();
        while (true) {
            LoadResult<V> ended = result.get();
            if (ended != null) {
                return ended;
            }
            if (thread.isInterrupted()) {
                throw new InterruptedWaitException("cache", cache, new InterruptedException());
            }
            long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
            if (left <= 0) {
                TimeoutException late = new TimeoutException("the deadline passed during the load of another caller");
                throw new StoreException(cache, "load in time", late);
            }
            long patient = patience == null ? Nanos.NEVER : patience.remainingNanos();
            if (patient <= 0) {
                return null;
            }
            scheduler.park(this, Math.min(left, patient));
        }
    }

    @Override
    public String toString() {
        return "load, " + (hasEnded() ? "ended" : waiters.size() + " waiting");
    }
}
