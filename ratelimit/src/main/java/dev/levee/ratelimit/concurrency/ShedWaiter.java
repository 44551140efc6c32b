package dev.levee.ratelimit.concurrency;

import dev.levee.core.Gate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A call in the queue of a shedding bulkhead: a future that ends with a stamp or with {@link Gate#REFUSED}, and a link
 * of the list that it waits in.
 *
 * <p>What becomes of it is decided once, under the lock of the bulkhead ({@link #decide}); it is told afterwards,
 * without the lock, because that may run code of users ({@link #finish}). Completing or cancelling the future from
 * outside gives its place up, if it is still waiting.
 */
final class ShedWaiter extends CompletableFuture<Long> {
    final int level;
    final long sinceNanos;
    private final PriorityBulkhead gate;
    private final @Nullable Thread thread;
    private final long endNanos;
    private final long leftNanos;

    /** When its wait is over at the latest; written before it enters the queue. */
    private long untilNanos;

    /** Whether its wait ends because its call must have ended then. */
    private boolean untilEnd;

    // Guarded by the lock of the bulkhead.

    @Nullable ShedWaiter older;

    @Nullable ShedWaiter newer;

    /** The next of those that have been decided and are still to be told. */
    @Nullable ShedWaiter nextEnded;

    private long stamp;
    private @Nullable ShedReason reason;

    /** Written last. */
    private volatile boolean decided;

    /**
     * Makes a waiter that is not in the queue yet.
     *
     * @param level the place of its criticality
     * @param thread the thread that is parked, or null if none is
     * @param sinceNanos when it came
     * @param leftNanos how long until its call must have ended
     */
    ShedWaiter(PriorityBulkhead gate, int level, @Nullable Thread thread, long sinceNanos, long leftNanos) {
        this.gate = gate;
        this.level = level;
        this.thread = thread;
        this.sinceNanos = sinceNanos;
        this.leftNanos = leftNanos;
        this.endNanos = sinceNanos + leftNanos;
    }

    /** Sets how long it may wait. */
    void mayWait(long nanos) {
        untilEnd = leftNanos <= nanos;
        untilNanos = sinceNanos + Math.min(leftNanos, nanos);
    }

    /** Returns how much longer it may wait. */
    long waitLeftNanos(long nowNanos) {
        return untilNanos - nowNanos;
    }

    /** Returns how much time is left until the call must have ended. */
    long leftNanos(long nowNanos) {
        return endNanos - nowNanos;
    }

    /** Returns why it is refused when its wait is over. */
    ShedReason reasonOfTime() {
        return untilEnd ? ShedReason.LATE : ShedReason.WAITED;
    }

    boolean isDecided() {
        return decided;
    }

    /** Decides what becomes of it; once, under the lock or before it is shared. */
    void decide(long stampOrRefused, @Nullable ShedReason why) {
        stamp = stampOrRefused;
        reason = why;
        decided = true;
    }

    /** Returns the stamp, or {@link Gate#REFUSED}, after it was decided. */
    long stamp() {
        return stamp;
    }

    /** Returns why it was refused; null if it was not, or gave up. */
    @Nullable ShedReason reason() {
        return decided ? reason : null;
    }

    /** Tells what was decided, without the lock. */
    ShedWaiter finish() {
        try {
            super.complete(stamp);
        } finally {
            if (thread != null) {
                LockSupport.unpark(thread);
            }
        }
        return this;
    }

    // From outside. Where the decision was made already, it is told at once, so that the stamp is there.

    private boolean leave() {
        if (gate.giveUp(this, null)) {
            return true;
        }
        if (!isDone()) {
            finish();
        }
        return false;
    }

    @Override
    public boolean complete(Long value) {
        return leave() && super.complete(value);
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return leave() && super.completeExceptionally(error);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return leave() && super.cancel(mayInterruptIfRunning);
    }
}
