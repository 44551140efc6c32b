package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;

/** Plays a copy of a meter forward. */
final class MeterForecast implements Forecast {
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
