package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What meters share that keep calls apart: the time at which the next call may come, and what the last call added to
 * it. A subclass says how much a call adds.
 *
 * <p>More than one number, so a call that is admitted takes a lock; one that is refused reads the time alone.
 */
abstract class SpacingMeter implements Meter {
    final ReentrantLock lock = new ReentrantLock();

    /** How many permits one call may take. */
    private final long largest;

    /** The time at which the next call may come. Written under the lock. */
    volatile long free;

    /** The last call that was admitted, when and what it added; for giving it back. */
    private long lastTaken;

    private long lastPermits;
    private long lastCost;
    private volatile boolean closed;

    SpacingMeter(long largest, long free) {
        this.largest = largest;
        this.free = free;
    }

    /** Returns what a call adds to the nanoseconds until the next one may come, and counts it. Under the lock. */
    abstract long spend(long nowNanos, long ahead, long permits);

    /** Puts permits back that were not used, other than their time. Under the lock. */
    abstract void putBack(long permits);

    /** Returns how many nanoseconds permits take at least, rounded down, up to {@link #NEVER}. */
    abstract long leastNanos(long permits);

    /** Returns how many permits are in the time until the next call may come, rounded up. */
    abstract long owed(long nowNanos);

    private void use(long nowNanos, long permits) {
        long ahead = Meter.ahead(free, nowNanos);
        long added = spend(nowNanos, ahead, permits);
        lastTaken = nowNanos;
        lastPermits = permits;
        lastCost = added;
        free = nowNanos + ahead + added;
    }

    @Override
    public final long take(long nowNanos, long permits) {
        long ahead = waitNanos(nowNanos, permits);
        if (ahead != 0) {
            return ahead;
        }
        lock.lock();
        try {
            long wait = waitNanos(nowNanos, permits);
            if (wait == 0) {
                use(nowNanos, permits);
            }
            return wait;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final long waitNanos(long nowNanos, long permits) {
        return closed ? CLOSED : Meter.ahead(free, nowNanos);
    }

    @Override
    public final void giveBack(long nowNanos, long takenNanos, long permits) {
        lock.lock();
        try {
            long ahead = Meter.ahead(free, nowNanos);
            if (closed || ahead == 0 || lastPermits == 0 || takenNanos - lastTaken < 0) {
                return; // paid by the time that has passed
            }
            long returned = Math.min(permits, lastPermits);
            long part = Ratio.floor(lastCost, returned, lastPermits);
            long credit = part - (nowNanos - takenNanos);
            if (credit > 0) {
                putBack(returned);
                lastPermits -= returned;
                lastCost -= part;
                free = nowNanos + Math.max(0, ahead - credit);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final long refund(long nowNanos, long permits) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            long ahead = Meter.ahead(free, nowNanos);
            if (ahead > 0) {
                long ofLast = Math.min(permits, lastPermits);
                long part = ofLast == 0 ? 0 : Ratio.floor(lastCost, ofLast, lastPermits);
                putBack(Math.min(permits, owed(nowNanos)));
                lastPermits -= ofLast;
                lastCost -= part;
                free = nowNanos + Math.max(0, ahead - Nanos.add(part, leastNanos(permits - ofLast)));
            }
            return 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final long charge(long nowNanos, long permits, long most) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            long charged = Math.min(permits, Math.max(0, most - owed(nowNanos)));
            if (charged > 0) {
                use(nowNanos, charged);
            }
            return 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public final long available(long nowNanos) {
        return waitNanos(nowNanos, 1) == 0 ? largest : 0;
    }

    @Override
    public final long resetNanos(long nowNanos) {
        return Math.max(0, waitNanos(nowNanos, 1));
    }

    @Override
    public final long close(long nowNanos) {
        lock.lock();
        try {
            closed = true;
            return owed(nowNanos);
        } finally {
            lock.unlock();
        }
    }
}
