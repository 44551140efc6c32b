package dev.levee.ratelimit;

/** The {@link Forecast} of a token bucket: a debt at a reading of the clock, in the units of {@link Gcra}. */
final class PlannedBucket implements Forecast {
    private final Gcra gcra;
    private long atNanos;
    private long debt;

    PlannedBucket(Gcra gcra, long atNanos, long debt) {
        this.gcra = gcra;
        this.atNanos = atNanos;
        this.debt = debt;
    }

    private long debtAt(long nanos) {
        return gcra.left(debt, Math.max(0, nanos - atNanos));
    }

    @Override
    public long earliest(long fromNanos, long permits) {
        if (permits > gcra.burst) {
            return RateLimiter.NEVER;
        }
        long room = gcra.tolerance - permits * gcra.interval;
        long left = debtAt(fromNanos);
        return left > room ? gcra.nanosUntil(left - room, 0) : 0;
    }

    @Override
    public void take(long atNanos, long permits) {
        long left = debtAt(atNanos);
        debt = (left > 0 ? left : gcra.start(0)) + permits * gcra.interval;
        this.atNanos = atNanos;
    }
}
