package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Paces calls, and more slowly the longer there was none: the arithmetic of Guava's {@code SmoothWarmingUp}, Kevin
 * Bourrillion, Dimitris Andreou, 2012.
 *
 * <pre>{@code
 * interval between two permits
 *   cold * s  |                   /
 *             |                /
 *             |             /       the area below, from max down to threshold, is the warm-up
 *          s  |------------/
 *             |            |       |
 *             0        threshold  max        permits in store: more of them, colder
 * }</pre>
 *
 * <p>{@code threshold = warmUp / 2 / s} and {@code max = threshold + 2 * warmUp / (s + cold * s)}. A pause fills the
 * store within {@code warmUp} from nothing; each permit that is taken leaves it. What a call costs is waited for by the
 * call after it. Two numbers, so a call that is admitted takes a lock for some arithmetic; one that is refused reads
 * the time alone. Costs are rounded up to a nanosecond, and what was too much is taken off the next one, so that three
 * permits cost as much as three times one.
 */
final class WarmUpMeter implements Meter {
    private static final double MAX_DEBT_NANOS = 0x1p61;

    private final ReentrantLock lock = new ReentrantLock();
    private final WarmUpLimit limit;
    private final double interval;
    private final double threshold;
    private final double max;
    private final double slope;
    private final double coolDown;

    /** The permits in store. */
    private double stored;

    /** The time at which the next call may come. Written under the lock. */
    private volatile long free;

    /** By how much that time is too late, from 0 to less than 1 ns. */
    private double rounded;

    /** The last call that was admitted, when and what it cost; for giving it back. */
    private long lastTaken;

    private long lastPermits;
    private long lastCost;
    private volatile boolean closed;

    WarmUpMeter(WarmUpLimit limit, long nowNanos) {
        this.limit = limit;
        double warmUp = Nanos.of(limit.warmUp());
        this.interval = (double) Nanos.of(limit.per()) / limit.permits();
        this.threshold = 0.5 * warmUp / interval;
        double cold = limit.coldFactor() * interval;
        this.max = threshold + 2.0 * warmUp / (interval + cold);
        this.slope = (cold - interval) / (max - threshold);
        this.coolDown = warmUp / max;
        this.stored = max;
        this.free = nowNanos;
    }

    /** Takes over how warm another meter is, in proportion. */
    void warmAs(WarmUpMeter other) {
        stored = other.stored / other.max * max;
    }

    private long owed(long nowNanos) {
        return (long) Math.ceil(Meter.ahead(free, nowNanos) / interval);
    }

    /** The permits that are in store at a time from which on calls may come. */
    private double storedAt(long nowNanos) {
        double idle = Meter.since(free, nowNanos);
        return idle < 0 ? max : Math.min(max, stored + idle / coolDown);
    }

    private double cost(double from, long permits) {
        double ofStore = Math.min((double) permits, from);
        double above = Math.max(0, from - threshold);
        double climbed = Math.min(above, ofStore);
        // The trapezoid under the slope, and the rectangle of all others.
        return climbed * (interval + slope * (above - climbed / 2)) + (permits - climbed) * interval;
    }

    @Override
    public long take(long nowNanos, long permits) {
        long ahead = untilFree(nowNanos);
        if (ahead != 0) {
            return ahead;
        }
        lock.lock();
        try {
            long wait = untilFree(nowNanos);
            if (wait == 0) {
                use(nowNanos, permits);
            }
            return wait;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long waitNanos(long nowNanos, long permits) {
        return untilFree(nowNanos);
    }

    private long untilFree(long nowNanos) {
        return closed ? CLOSED : Meter.ahead(free, nowNanos);
    }

    private void use(long nowNanos, long permits) {
        long ahead = Meter.ahead(free, nowNanos);
        double from = ahead > 0 ? stored : storedAt(nowNanos);
        double cost = cost(from, permits);
        double exact = Math.min(MAX_DEBT_NANOS, ahead + cost - (ahead > 0 || free == nowNanos ? rounded : 0));
        long next = (long) Math.ceil(exact);
        rounded = next - exact;
        stored = Math.max(0, from - permits);
        lastTaken = nowNanos;
        lastPermits = permits;
        lastCost = next - ahead;
        free = nowNanos + next;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long permits) {
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
                free = nowNanos + Math.max(0, ahead - credit);
                rounded = 0;
                stored = Math.min(max, stored + returned);
                lastPermits -= returned;
                lastCost -= part;
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long charge(long nowNanos, long permits, long most) {
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
    public long available(long nowNanos) {
        return waitNanos(nowNanos, 1) == 0 ? limit.largest() : 0;
    }

    @Override
    public long resetNanos(long nowNanos) {
        return Math.max(0, waitNanos(nowNanos, 1));
    }

    @Override
    public Meter copy(long nowNanos) {
        lock.lock();
        try {
            WarmUpMeter copy = new WarmUpMeter(limit, free);
            copy.stored = stored;
            copy.rounded = rounded;
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
