package dev.levee.cache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One load of a key, and those that wait for it: threads, and stages of callers that have gone on.
 *
 * <p><b>Invariants.</b> It ends once, with the first result. All threads are woken before the first stage hears of it,
 * and a stage only notes what it has to do: no caller waits for what another one does with the value. See ADR 21.
 */
final class PendingLoad<V> {
    private static final VarHandle RESULT = Handles.field(MethodHandles.lookup(), "result", LoadResult.class);

    /** The work that brings the value, perhaps that of other keys too. */
    final Loading work;

    /**
     * Whether the executor runs the load, and the caller that began it only waits; written before it is handed over.
     */
    boolean handedOver;

    /** Threads to wake, and tasks to run; those of asynchronous callers, which must not block and not throw. */
    private final ConcurrentLinkedQueue<Object> waiters = new ConcurrentLinkedQueue<>();

    private volatile @Nullable LoadResult<V> result;

    /** Where the load puts its value; written before the load is in flight, null until then. */
    private Entries.@Nullable Generation<V> generation;

    /** The reading of {@link Tags#now} when the load began; written with the generation. */
    private long epoch;

    PendingLoad(Loading work) {
        this.work = work;
    }

    void beginIn(Entries.Generation<V> where, long tagEpoch) {
        generation = where;
        epoch = tagEpoch;
        work.keyBegun();
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

    /** Returns the reading of {@link Tags#now} when the load began. */
    long epoch() {
        return epoch;
    }

    /**
     * How a load ended.
     *
     * @param value the value, or null if the store has none or the load failed
     * @param failure what the load threw, or null
     * @param reload whether the result is one of the call that loaded and not of the store, so that a waiter should
     *     look again: a failure that lies in that call, or an entry that was there already and may be gone by now
     * @param outdated whether a tag of the value was invalidated since the load began, so that only those may have it
     *     that waited before
     */
    record LoadResult<V>(@Nullable V value, @Nullable Throwable failure, boolean reload, boolean outdated) {
        static <V> LoadResult<V> value(@Nullable V value) {
            return new LoadResult<>(value, null, false, false);
        }

        static <V> LoadResult<V> outdated(@Nullable V value) {
            return new LoadResult<>(value, null, false, true);
        }

        static <V> LoadResult<V> found(@Nullable V value) {
            return new LoadResult<>(value, null, true, false);
        }

        static <V> LoadResult<V> failure(Throwable failure, boolean reload) {
            return new LoadResult<>(null, failure, reload, false);
        }
    }

    /**
     * Returns whether a caller that joined this load must look again.
     *
     * @param how how it ended
     * @param joinedAt the reading of {@link Tags#now} before the caller joined. If no tag at all was invalidated
     *     between the begin and that, the caller may have a value of which a tag was invalidated later
     */
    boolean mustReload(LoadResult<V> how, long joinedAt) {
        return how.reload() || (how.outdated() && joinedAt != epoch);
    }

    boolean hasEnded() {
        return result != null;
    }

    /** Returns how the load ended, or null while it runs. */
    @Nullable LoadResult<V> result() {
        return result;
    }

    /**
     * Ends the load, and tells all that wait for it; does nothing if it has ended.
     *
     * @return whether it ended by this call
     */
    boolean end(LoadResult<V> how) {
        if (!RESULT.compareAndSet(this, null, how)) {
            return false;
        }
        work.keyEnded();
        for (Object waiter : waiters) {
            if (waiter instanceof Thread thread) {
                LockSupport.unpark(thread);
            }
        }
        for (Object waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            tell(waiter);
        }
        return true;
    }

    private static void tell(Object waiter) {
        if (waiter instanceof Thread thread) {
            LockSupport.unpark(thread);
        } else {
            ((Runnable) waiter).run();
        }
    }

    /** Runs a task when the load has ended, on the thread that ends it or here; it must not block and not throw. */
    void whenEnded(Runnable task) {
        waiters.add(task);
        if (result != null && waiters.remove(task)) {
            task.run();
        }
    }

    /** Takes a task back that has not run. */
    void forget(Runnable task) {
        waiters.remove(task);
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
        LoadResult<V> ended = result;
        if (ended != null) {
            return ended;
        }
        Loading self = Loading.current();
        if (self != null) {
            self.needs(work, cache, key);
        }
        Thread thread = Thread.currentThread();
        waiters.add(thread);
        try {
            return park(cache, scheduler, thread, patience);
        } finally {
            waiters.remove(thread);
            if (self != null) {
                self.needsNoMore(work);
            }
        }
    }

    private @Nullable LoadResult<V> park(
            String cache, Scheduler scheduler, Thread thread, @Nullable Deadline patience) {
        Deadline deadline = CallContext.current().deadline();
        while (true) {
            LoadResult<V> ended = result;
            if (ended != null) {
                return ended;
            }
            if (thread.isInterrupted()) {
                throw new InterruptedWaitException("cache", cache, new InterruptedException());
            }
            long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
            if (left <= 0) {
                throw late(cache);
            }
            long patient = patience == null ? Nanos.NEVER : patience.remainingNanos();
            if (patient <= 0) {
                return null;
            }
            scheduler.park(this, Math.min(left, patient));
        }
    }

    /** Returns what a caller gets whose deadline passes while it waits. */
    static StoreException late(String cache) {
        TimeoutException late = new TimeoutException("the deadline passed during the load of another caller");
        return new StoreException(cache, "load in time", late);
    }

    @Override
    public String toString() {
        return "load, " + (hasEnded() ? "ended" : waiters.size() + " waiting");
    }
}
