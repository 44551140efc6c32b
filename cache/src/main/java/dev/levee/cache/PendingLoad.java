package dev.levee.cache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One load, and the threads that wait for it. */
final class PendingLoad<V> {
    final LoadingThread leader;
    private final ConcurrentLinkedQueue<Thread> waiters = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Landing<V> landing;

    PendingLoad(LoadingThread leader) {
        this.leader = leader;
    }

    /** How a load ended. */
    record Landing<V>(@Nullable V value, @Nullable Throwable failure, boolean again) {
        /** The store has answered; null if it has no value. */
        static <V> Landing<V> value(@Nullable V value) {
            return new Landing<>(value, null, false);
        }

        /** With {@code again} if the failure is the leader's own and not the store's, so that those who wait should load. */
        static <V> Landing<V> failure(Throwable failure, boolean again) {
            return new Landing<>(null, failure, again);
        }
    }

    boolean hasLanded() {
        return landing != null;
    }

    void land(Landing<V> end) {
        landing = end;
        for (Thread waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            LockSupport.unpark(waiter);
        }
    }

    /** Waits until it has landed, the current thread is interrupted, or the time of its call is up. */
    Landing<V> await(String cache, Object key, Scheduler scheduler) {
        Landing<V> end = landing;
        if (end != null) {
            return end;
        }
        LoadingThread self = LoadingThread.current();
        if (self != null) {
            self.waitFor(this, cache, key);
        }
        Thread thread = Thread.currentThread();
        waiters.add(thread);
        try {
            return parked(cache, scheduler, thread);
        } finally {
            waiters.remove(thread);
            if (self != null) {
                self.waitNoMore();
            }
        }
    }

    private Landing<V> parked(String cache, Scheduler scheduler, Thread thread) {
        Deadline deadline = CallContext.current().deadline();
        while (true) {
            Landing<V> end = landing;
            if (end != null) {
                return end;
            }
            if (thread.isInterrupted()) {
                throw new InterruptedWaitException(cache, new InterruptedException());
            }
            long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
            if (left <= 0) {
                throw new StoreException(
                        cache, "load in time", new TimeoutException("the deadline passed in wait for another's load"));
            }
            scheduler.park(this, left);
        }
    }

    @Override
    public String toString() {
        return "load, " + (hasLanded() ? "ended" : waiters.size() + " waiting");
    }
}
