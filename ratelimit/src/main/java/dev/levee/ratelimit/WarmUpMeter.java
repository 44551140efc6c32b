package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;

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
 * call after it. Costs are rounded up to a nanosecond, and what was too much is taken off the next one, so that three
 * permits cost as much as three times one.
 */
final class WarmUpMeter extends SpacingMeter {
    private static final double MAX_DEBT_NANOS = 0x1p61;

    private final WarmUpLimit limit;
    private final double interval;
    private final double threshold;
    private final double max;
    private final double slope;
    private final double coolDown;

    /** The permits in store. */
    private double stored;

    /** By how much the time of the next call is too late, from 0 to less than 1 ns. */
    private double rounded;

    WarmUpMeter(WarmUpLimit limit, long nowNanos) {
        super(limit.largest(), nowNanos);
        this.limit = limit;
        double warmUp = Nanos.of(limit.warmUp());
        this.interval = (double) Nanos.of(limit.per()) / limit.permits();
        this.threshold = 0.5 * warmUp / interval;
        double cold = limit.coldFactor() * interval;
        this.max = threshold + 2.0 * warmUp / (interval + cold);
        this.slope = (cold - interval) / (max - threshold);
        this.coolDown = warmUp / max;
        this.stored = max;
    }

    /** Takes over how warm another meter is, in proportion. */
    void warmAs(WarmUpMeter other) {
        stored = other.stored / other.max * max;
    }

    @Override
    long leastNanos(long permits) {
        return Nanos.multiply(permits, interval);
    }

    @Override
    long owed(long nowNanos) {
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
    long spend(long nowNanos, long ahead, long permits) {
        double from = ahead > 0 ? stored : storedAt(nowNanos);
        double cost = cost(from, permits);
        double exact = Math.min(MAX_DEBT_NANOS, ahead + cost - (ahead > 0 || free == nowNanos ? rounded : 0));
        long next = (long) Math.ceil(exact);
        rounded = next - exact;
        stored = Math.max(0, from - permits);
        return next - ahead;
    }

    @Override
    void putBack(long permits) {
        rounded = 0;
        stored = Math.min(max, stored + permits);
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
}
