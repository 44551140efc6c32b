package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A leaky bucket as a queue: after a call nothing is admitted for as long as its permits take, however long the pause
 * before it was.
 *
 * <p>The time of a permit is a fraction, {@code per / permits}, and is kept as one: the time at which the next call may
 * come in whole nanoseconds, rounded up, and by how many parts of a nanosecond that is too late. Two numbers, so a call
 * that is admitted takes a lock; one that is refused reads the time alone.
 */
final class PacedMeter implements Meter {
    private final ReentrantLock lock = new ReentrantLock();
    private final long permits;
    private final long per;
    private final long largest;

    /** The time at which the next call may come. Written under the lock. */
    private volatile long free;

    /** By how much that time is too late: so many parts, of which a nanosecond has as many as there are permits. */
    private long late;

    /** The last call that was admitted, when and what it added; for giving it back. */
    private long lastTaken;

    private long lastPermits;
    private long lastCost;
    private volatile boolean closed;

    PacedMeter(PacedLimit limit, long nowNanos) {
        this(limit.permits(), Nanos.of(limit.per()), limit.largest(), nowNanos);
    }

    private PacedMeter(long permits, long per, long largest, long free) {
        this.permits = permits;
        this.per = per;
        this.largest = largest;
        this.free = free;
    }

    @Override
    public long take(long nowNanos, long wanted) {
        long ahead = waitNanos(nowNanos, wanted);
        if (ahead != 0) {
            return ahead;
        }
        lock.lock();
        try {
            long wait = waitNanos(nowNanos, wanted);
            if (wait == 0) {
                use(nowNanos, wanted);
            }
            return wait;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long waitNanos(long nowNanos, long wanted) {
        return closed ? CLOSED : Meter.ahead(free, nowNanos);
    }

    private void use(long nowNanos, long wanted) {
        long ahead = Meter.ahead(free, nowNanos);
        long credit = ahead > 0 || free == nowNanos ? late : 0;
        long rest = wanted % permits;
        long cost = Nanos.add(saturated(wanted / permits), Ratio.floor(rest, per, permits));
        long parts = rest * per - Ratio.floor(rest, per, permits) * permits - credit; // both modulo 2^64
        long added = Nanos.add(ahead, Nanos.add(cost, parts > 0 ? 1 : 0)) - ahead;
        late = parts > 0 ? permits - parts : -parts;
        lastTaken = nowNanos;
        lastPermits = wanted;
        lastCost = added;
        free = nowNanos + ahead + added;
    }

    private long owed(long nowNanos) {
        return Ratio.ceiling(Meter.ahead(free, nowNanos), permits, per);
    }

    private long saturated(long times) {
        return times > NEVER / per ? NEVER : times * per;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long given) {
        lock.lock();
        try {
            long ahead = Meter.ahead(free, nowNanos);
            if (closed || ahead == 0 || lastPermits == 0 || takenNanos - lastTaken < 0) {
                return; // paid by the time that has passed
            }
            long returned = Math.min(given, lastPermits);
            long part = Ratio.floor(lastCost, returned, lastPermits);
            long credit = part - (nowNanos - takenNanos);
            if (credit > 0) {
                late = 0;
                lastPermits -= returned;
                lastCost -= part;
                free = nowNanos + Math.max(0, ahead - credit);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long charge(long nowNanos, long wanted, long most) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            long charged = Math.min(wanted, Math.max(0, most - owed(nowNanos)));
            if (charged > 0) {
                use(nowNanos, charged);
            }
            return 0;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long available(long nowNanos) {
        return waitNanos(nowNanos, 1) == 0 ? largest : 0;
    }

    @Override
    public long resetNanos(long nowNanos) {
        return Math.max(0, waitNanos(nowNanos, 1));
    }

    @Override
    public Meter copy(long nowNanos) {
        lock.lock();
        try {
            PacedMeter copy = new PacedMeter(permits, per, largest, free);
            copy.late = late;
            return copy;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long close(long nowNanos) {
        lock.lock();
        try {
            closed = true;
            return owed(nowNanos);
        } finally {
            lock.unlock();
        }
    }
}
