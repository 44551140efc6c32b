package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link SingleLimiter} has of a {@link Limit} that is no token bucket: a {@link Meter}, and another one when
 * the limit is replaced. The old meter is closed first, in one step with the last permit that is taken from it, so a
 * permit is taken from the one or the other, and counted in the new one if it was taken before. What comes between is
 * answered by {@link Meter#CLOSED}, and asks again.
 */
final class MeteredLimit {
    /** 73 years: a quarter of what a clock can tell apart, so that time which passes meanwhile fits in as well. */
    private static final long MAX_NANOS_OWED = 1L << 61;

    private static final long MAX_PERMITS_OWED = 1L << 61;

    private final WallTime wallTime;
    private final long initialPermits;
    private final long maxDebt;
    private volatile LimitInForce metered;

    /**
     * Makes one with nothing taken.
     *
     * @param sinceNanos permits that were taken before it are not given back
     */
    MeteredLimit(RateLimiterConfig config, Limit limit, Environment environment, long nowNanos, long sinceNanos) {
        wallTime = WallTime.of(environment);
        initialPermits = config.initialPermits();
        maxDebt = config.maxDebt();
        requireDebt(limit);
        metered = new LimitInForce(limit, Meter.of(limit, nowNanos, wallTime), sinceNanos);
    }

    /** Takes what is not there at first. */
    void chargeInitially(long nowNanos) {
        chargeInitially(metered, nowNanos);
    }

    private void chargeInitially(LimitInForce limit, long nowNanos) {
        limit.meter.charge(nowNanos, Math.max(0, limit.capacity - initialPermits));
    }

    /** Refuses a debt that the meter would cut off: one that takes longer to pay than it can count ahead. */
    private void requireDebt(Limit limit) {
        if (limit instanceof CalendarLimit || limit instanceof SlidingWindowLimit) { // count permits, and not ahead
            Require.range("maxDebt", maxDebt, 0, MAX_PERMITS_OWED);
            return;
        }
        long windows = limit instanceof SlidingLogLimit
                ? SlidingLogMeter.MAX_WINDOWS_OWED - 2
                : MAX_NANOS_OWED / Math.max(1, Nanos.of(limit.per()));
        long most = windows > Long.MAX_VALUE / limit.permits() ? Long.MAX_VALUE : windows * limit.permits();
        Require.range("maxDebt", maxDebt, 0, most);
    }

    private long mostUsed(long capacity) {
        return maxDebt > Long.MAX_VALUE - capacity ? Long.MAX_VALUE : capacity + maxDebt;
    }

    /** Takes permits as {@link AbstractLimiter#take}, or returns {@link Meter#CLOSED}. */
    long take(long nowNanos, long permits) {
        LimitInForce now = metered;
        return permits > now.capacity ? Meter.NEVER : now.meter.take(nowNanos, permits);
    }

    /** Returns what {@link #take} would return, and takes nothing. */
    long peek(long nowNanos, long permits) {
        LimitInForce now = metered;
        return permits > now.capacity ? Meter.NEVER : now.meter.waitNanos(nowNanos, permits);
    }

    boolean isSameSpan(long plannedNanos, long nowNanos) {
        return metered.meter.isSameSpan(plannedNanos, nowNanos);
    }

    void giveBack(long nowNanos, long takenNanos, long permits) {
        LimitInForce now = metered;
        if (takenNanos - now.sinceNanos >= 0) { // of an earlier limit: it has been carried over as used, or not at all
            now.meter.giveBack(nowNanos, takenNanos, permits);
        }
    }

    /** Counts permits as not used. Returns 0, or {@link Meter#CLOSED}. */
    long refund(long nowNanos, long permits) {
        return metered.meter.refund(nowNanos, permits);
    }

    /** Counts permits as used. Returns 0, or {@link Meter#CLOSED}. */
    long charge(long nowNanos, long permits) {
        LimitInForce now = metered;
        return now.meter.charge(nowNanos, permits, mostUsed(now.capacity));
    }

    long available(long nowNanos) {
        return metered.meter.available(nowNanos);
    }

    long resetNanos(long nowNanos) {
        return metered.meter.resetNanos(nowNanos);
    }

    /** Returns a copy of what is used, or null if that is being replaced. */
    @Nullable Forecast forecast(long nowNanos) {
        LimitInForce now = metered;
        Meter copy = now.meter.copy(nowNanos);
        boolean wasOpen = now.meter.waitNanos(nowNanos, 1) != Meter.CLOSED; // when it was copied
        return wasOpen ? new MeterForecast(copy, now.capacity) : null;
    }

    long capacity() {
        return metered.capacity;
    }

    Limit limit() {
        return metered.limit;
    }

    /** Replaces the limit by another one that is no token bucket. */
    void replace(long nowNanos, Limit limit, CarriedFill carried) {
        requireDebt(limit);
        LimitInForce before = metered;
        // What was taken at this reading, too, is not given back by another measure.
        long since = carried == CarriedFill.SAME_USED ? nowNanos : nowNanos + 1;
        LimitInForce next = new LimitInForce(limit, Meter.of(limit, nowNanos, wallTime), since);
        long used = before.meter.close(nowNanos);
        try {
            carry(used, before.capacity, next, nowNanos, carried);
            if (carried != CarriedFill.RESET
                    && before.meter instanceof WarmUpMeter old
                    && next.meter instanceof WarmUpMeter warm) {
                warm.warmAs(old);
            }
        } finally {
            metered = next; // calls wait for it
        }
    }

    /** Closes it for good. Returns how many permits are used; more than the capacity if there is a debt. */
    long close(long nowNanos) {
        return metered.meter.close(nowNanos);
    }

    /** Takes over what was used of a limit before. */
    void carry(long used, long capacity, long nowNanos, CarriedFill carried) {
        carry(used, capacity, metered, nowNanos, carried);
    }

    private void carry(long used, long before, LimitInForce next, long nowNanos, CarriedFill carried) {
        if (carried == CarriedFill.RESET) {
            chargeInitially(next, nowNanos);
            return;
        }
        long within = Math.min(used, before);
        long kept = carried == CarriedFill.IN_PROPORTION
                ? share(within, before, next.capacity)
                : Math.min(within, next.capacity);
        long owed = Math.min(used - within, maxDebt);
        next.meter.charge(nowNanos, kept > Long.MAX_VALUE - owed ? Long.MAX_VALUE : kept + owed);
    }

    /** The same share of another capacity, rounded up. */
    private static long share(long used, long before, long after) {
        return used == before ? after : Ratio.ceiling(used, after, before);
    }

    /** A limit, its meter, and since when it is in force. */
    private record LimitInForce(Limit limit, Meter meter, long capacity, long sinceNanos) {
        LimitInForce(Limit limit, Meter meter, long sinceNanos) {
            this(limit, meter, limit.capacity(), sinceNanos);
        }
    }

    /** Plays a copy of a meter forward. */
    private static final class MeterForecast implements Forecast {
        /** How often a moment may turn out too early; with each the wait is longer. */
        private static final int MAX_STEPS = 1_000;

        private final Meter meter;
        private final long capacity;

        MeterForecast(Meter meter, long capacity) {
            this.meter = meter;
            this.capacity = capacity;
        }

        @Override
        public long earliest(long fromNanos, long permits) {
            if (permits > capacity) {
                return RateLimiter.NEVER; // the limit was replaced since, or will be
            }
            long wait = 0;
            for (int step = 0; step < MAX_STEPS; step++) {
                long more = meter.lookAhead(fromNanos + wait, permits);
                if (more == 0) {
                    return wait;
                }
                wait = Nanos.add(wait, more);
                if (wait == RateLimiter.NEVER) {
                    break;
                }
            }
            return RateLimiter.NEVER;
        }

        @Override
        public void take(long atNanos, long permits) {
            if (meter.take(atNanos, permits) != 0) {
                meter.charge(atNanos, permits);
            }
        }
    }
}
