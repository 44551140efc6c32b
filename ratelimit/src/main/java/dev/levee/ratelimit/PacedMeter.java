package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;

/**
 * A leaky bucket as a queue: after a call nothing is admitted for as long as its permits take, however long the pause
 * before it was.
 *
 * <p>The time of a permit is a fraction, {@code per / permits}, and is kept as one: the time at which the next call may
 * come in whole nanoseconds, rounded up, and by how many parts of a nanosecond that is too late.
 */
final class PacedMeter extends SpacingMeter {
    private final long permits;
    private final long per;
    private final long largest;

    /** By how much the time of the next call is too late: so many parts, of which a nanosecond has {@code permits}. */
    private long late;

    PacedMeter(PacedLimit limit, long nowNanos) {
        this(limit.permits(), Nanos.of(limit.per()), limit.largest(), nowNanos);
    }

    private PacedMeter(long permits, long per, long largest, long free) {
        super(largest, free);
        this.permits = permits;
        this.per = per;
        this.largest = largest;
    }

    @Override
    long spend(long nowNanos, long ahead, long wanted) {
        long credit = ahead > 0 || free == nowNanos ? late : 0;
        long rest = wanted % permits;
        long cost = leastNanos(wanted);
        long parts = rest * per - Ratio.floor(rest, per, permits) * permits - credit; // both modulo 2^64
        late = parts > 0 ? permits - parts : -parts;
        return Nanos.add(ahead, Nanos.add(cost, parts > 0 ? 1 : 0)) - ahead;
    }

    @Override
    void putBack(long returned) {
        late = 0;
    }

    @Override
    long leastNanos(long wanted) {
        return Nanos.add(saturated(wanted / permits), Ratio.floor(wanted % permits, per, permits));
    }

    @Override
    long owed(long nowNanos) {
        return Ratio.ceiling(Meter.ahead(free, nowNanos), permits, per);
    }

    private long saturated(long times) {
        return times > NEVER / per ? NEVER : times * per;
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
}
