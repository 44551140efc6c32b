package dev.levee.core.policy;

import dev.levee.core.Gate;
import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A call in the queue of a bulkhead: completed with a stamp, with {@link Gate#REFUSED}, or cancelled. The thread that
 * completes it first decides what becomes of the call, and counts it out of the queue; its entry in the deque is taken
 * out by the thread that comes across it.
 */
final class BulkheadWaiter extends CompletableFuture<Long> {
    private static final VarHandle PLACE = Handles.field(MethodHandles.lookup(), "place", int.class);

    /** It waits, and its entry is in the deque. */
    private static final int WAITING = 0;

    /** It does not wait any more and is not counted, but its entry is still in the deque. */
    private static final int LEFT = 1;

    /** It is not counted, and its entry is out of the deque. */
    private static final int OUT = 2;

    private final BulkheadQueue queue;
    private final @Nullable Thread thread;
    private final long untilNanos;
    private final long endNanos;

    /** Written through {@link #PLACE}. */
    @SuppressWarnings("unused") // by its name
    private volatile int place = WAITING;

    /**
     * Makes a waiter that is not in the queue yet.
     *
     * @param thread the thread that is parked, or null if none is
     * @param sinceNanos when it came
     * @param waitNanos how long it may wait
     * @param leftNanos how long until its call must have ended
     */
    BulkheadWaiter(BulkheadQueue queue, @Nullable Thread thread, long sinceNanos, long waitNanos, long leftNanos) {
        this.queue = queue;
        this.thread = thread;
        this.untilNanos = sinceNanos + waitNanos;
        this.endNanos = sinceNanos + leftNanos;
    }

    /** Returns how much time is left until the call must have ended. */
    long leftNanos(long nowNanos) {
        return endNanos - nowNanos;
    }

    /**
     * Gives a permit to this waiter, unless it has given up or its time is over (its timer may be late): its call must
     * not begin after that.
     */
    boolean grant(long stamp, long nowNanos) {
        if (untilNanos - nowNanos <= 0) {
            refuse();
            return false;
        }
        return end(stamp);
    }

    /** Whether it was given this permit. */
    boolean has(long stamp) {
        return isDone() && !isCompletedExceptionally() && join() == stamp;
    }

    /** Ends the wait without a permit, unless it has ended already. */
    void refuse() {
        end(Gate.REFUSED);
    }

    private boolean end(long stamp) {
        boolean first = complete(stamp);
        if (first && thread != null) {
            LockSupport.unpark(thread);
        }
        return first;
    }

    /** The call gives up. Returns false if its wait had ended already, perhaps with a permit. */
    boolean giveUp() {
        return complete(Gate.REFUSED);
    }

    @Override
    public boolean complete(Long stamp) {
        return leaveIf(super.complete(stamp));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return leaveIf(super.completeExceptionally(error));
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return leaveIf(super.cancel(mayInterruptIfRunning));
    }

    private boolean leaveIf(boolean first) {
        if (first && PLACE.compareAndSet(this, WAITING, LEFT)) {
            queue.hasLeft();
        }
        return first;
    }

    /** Its entry is out of the deque, says the thread that took it out; several may say so. */
    void takenOut() {
        int before = (int) PLACE.getAndSet(this, OUT);
        if (before != OUT) {
            queue.hasBeenTakenOut(before == LEFT);
        }
    }
}
