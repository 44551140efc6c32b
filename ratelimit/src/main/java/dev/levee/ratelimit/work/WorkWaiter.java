package dev.levee.ratelimit.work;

import dev.levee.core.Scheduler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** An item that waits for a place, on behalf of a thread that is parked, or of a future. */
final class WorkWaiter extends WorkNode implements Runnable {
    static final int WAITING = 0;

    /** Its item has a place. */
    static final int ADMITTED = 1;

    /** It has given up, or its time is over. */
    static final int GONE = 2;

    /** The queue was closed. */
    static final int CLOSED = 3;

    final Object element;

    /** Written under the lock. */
    volatile int state = WAITING;

    private final WorkWaiters waiters;
    private final @Nullable Thread thread;
    private final @Nullable Pending future;
    private volatile Scheduler.@Nullable Timer timer;

    /** Makes one of a thread, or of a future that is made with it. */
    WorkWaiter(WorkWaiters waiters, Object element, @Nullable Thread thread) {
        this.waiters = waiters;
        this.element = element;
        this.thread = thread;
        this.future = thread == null ? new Pending(this) : null;
    }

    @Nullable Pending future() {
        return future;
    }

    /** What its timer does: its time is over. */
    @Override
    public void run() {
        if (waiters.giveUp(this) && future != null) {
            waiters.settle(future, GONE);
        }
    }

    void timer(Scheduler.Timer set) {
        timer = set;
        if (state != WAITING) {
            set.cancel();
        }
    }

    /** Tells what has become of it. Outside of the lock. */
    void tell() {
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
        if (future != null) {
            waiters.settle(future, state);
        } else {
            LockSupport.unpark(thread);
        }
    }

    /**
     * The future of an item that waits for a place. If its user completes it first, the item does not wait any more.
     */
    static final class Pending extends CompletableFuture<Void> {
        private final WorkWaiter waiter;

        Pending(WorkWaiter waiter) {
            this.waiter = waiter;
        }

        private boolean takeBack() {
            return waiter.waiters.giveUp(waiter);
        }

        @Override
        public boolean complete(Void nothing) {
            return takeBack() && super.complete(null);
        }

        @Override
        public boolean completeExceptionally(Throwable error) {
            return takeBack() && super.completeExceptionally(error);
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return takeBack() ? super.cancel(mayInterruptIfRunning) : isCancelled();
        }

        void settle(@Nullable Throwable error) {
            if (error == null) {
                super.complete(null);
            } else {
                super.completeExceptionally(error);
            }
        }
    }
}
