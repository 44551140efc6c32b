package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;

/**
 * The limiter of every {@link Limit} that is no token bucket: a {@link Meter}, and another one when the limit is
 * replaced. The old meter is closed first, in one step with the last permit that is taken from it, so a permit is taken
 * from the one or the other, and counted in the new one if it was taken before. A call that comes between waits for the
 * few instructions until the new meter is there.
 */
@SuppressWarnings("ThreadPriorityCheck") // the yield lets a change of the limit end, nothing relies on it
final class MeteredLimiter extends AbstractLimiter {
    /** 73 years: a quarter of what a clock can tell apart, so that time which passes meanwhile fits in as well. */
    private static final long MAX_NANOS_OWED = 1L << 61;

    private static final long MAX_PERMITS_OWED = 1L << 61;

    private final WallTime wallTime;
    private final long initialPermits;
    private final long maxDebt;
    private volatile LimitInForce metered;

    MeteredLimiter(String name, RateLimiterConfig config, Environment environment) {
        super(name, config, environment);
        wallTime = WallTime.of(environment);
        long now = environment.clock().nanoTime();
        Meter meter = Meter.of(config.limit(), now, wallTime);
        initialPermits = config.initialPermits();
        maxDebt = config.maxDebt();
        requireDebt(config.limit());
        chargeInitially(meter, now, config.limit());
        metered = new LimitInForce(config.limit(), meter, now);
    }

    private void chargeInitially(Meter meter, long nowNanos, Limit limit) {
        meter.charge(nowNanos, Math.max(0, limit.capacity() - initialPermits));
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

    @Override
    long take(long nowNanos, long permits) {
        while (true) {
            LimitInForce now = metered;
            if (permits > now.capacity) {
                return NEVER;
            }
            long wait = now.meter.take(nowNanos, permits);
            if (wait != Meter.CLOSED) {
                return wait;
            }
            Thread.yield();
        }
    }

    @Override
    long peek(long nowNanos, long permits) {
        while (true) {
            LimitInForce now = metered;
            if (permits > now.capacity) {
                return NEVER;
            }
            long wait = now.meter.waitNanos(nowNanos, permits);
            if (wait != Meter.CLOSED) {
                return wait;
            }
            Thread.yield();
        }
    }

    @Override
    void giveBack(long nowNanos, long takenNanos, long permits) {
        LimitInForce now = metered;
        if (takenNanos - now.sinceNanos >= 0) { // of an earlier limit: it has been carried over as used, or not at all
            now.meter.giveBack(nowNanos, takenNanos, permits);
        }
    }

    @Override
    void charge(long nowNanos, long permits) {
        while (true) {
            LimitInForce now = metered;
            if (now.meter.charge(nowNanos, permits, mostUsed(now.capacity)) != Meter.CLOSED) {
                return;
            }
            Thread.yield();
        }
    }

    @Override
    long available(long nowNanos) {
        return metered.meter.available(nowNanos);
    }

    @Override
    long resetNanos(long nowNanos) {
        return metered.meter.resetNanos(nowNanos);
    }

    @Override
    Forecast forecast(long nowNanos) {
        while (true) {
            Meter meter = metered.meter;
            Meter copy = meter.copy(nowNanos);
            if (meter.waitNanos(nowNanos, 1) != Meter.CLOSED) {
                return new MeterForecast(copy); // it was open when it was copied
            }
            Thread.yield();
        }
    }

    @Override
    long capacity() {
        return metered.capacity;
    }

    @Override
    public Limit limit() {
        return metered.limit;
    }

    @Override
    void replace(long nowNanos, Limit limit, CarriedFill carried) {
        if (Require.nonNull("limit", limit) instanceof TokenBucketLimit) {
            throw new IllegalArgumentException("limiter \"" + name()
                    + "\": limit must be no token bucket as the one before was none, but was " + limit);
        }
        requireDebt(limit);
        LimitInForce before = metered;
        LimitInForce next = new LimitInForce(limit, Meter.of(limit, nowNanos, wallTime), nowNanos);
        long used = before.meter.close(nowNanos);
        try {
            carry(used, before, next, nowNanos, carried);
        } finally {
            metered = next; // calls wait for it
        }
    }

    private void carry(long used, LimitInForce before, LimitInForce next, long nowNanos, CarriedFill carried) {
        if (carried == CarriedFill.RESET) {
            chargeInitially(next.meter, nowNanos, next.limit);
            return;
        }
        long charged = carried == CarriedFill.IN_PROPORTION ? share(used, before.capacity, next.capacity) : used;
        next.meter.charge(nowNanos, charged, mostUsed(next.capacity));
        if (before.meter instanceof WarmUpMeter old && next.meter instanceof WarmUpMeter warm) {
            warm.warmAs(old);
        }
    }

    /** The same share of another capacity, rounded up; of a debt no more than all. */
    private static long share(long used, long before, long after) {
        return used >= before ? after : Ratio.ceiling(used, after, before);
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

        MeterForecast(Meter meter) {
            this.meter = meter;
        }

        @Override
        public long earliest(long fromNanos, long permits) {
            long wait = 0;
            for (int step = 0; step < MAX_STEPS; step++) {
                long more = meter.waitNanos(fromNanos + wait, permits);
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
