package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.internal.PaddedLong;

/**
 * The token bucket: one bucket, in one word, see {@link Gcra}.
 *
 * <p>A reading of the clock is kept while the word is contended for: an old one makes the debt look larger, so it is
 * only stricter, and the caller is admitted as of the moment at which it called. See ADR 19.
 */
final class TokenBucket extends AbstractLimiter {
    private final TokenBucketLimit limit;
    private final Gcra gcra;
    private final long interval;
    private final long tolerance;

    /** The theoretical arrival time, in ticks. */
    private final PaddedLong tat;

    /**
     * Whether two threads have ever contended for the word. After that the word is fetched to be written, not to be
     * read: its cache line is transferred once instead of twice for each call, and fewer exchanges fail. Nothing
     * depends on it, so it may be seen late.
     */
    private boolean contended;

    TokenBucket(String name, RateLimiterConfig config, Environment environment) {
        super(name, config, environment);
        this.limit = (TokenBucketLimit) config.limit();
        this.gcra = Gcra.of(limit);
        this.interval = gcra.interval();
        this.tolerance = gcra.tolerance();
        this.tat = new PaddedLong(gcra.ticks(environment.clock().nanoTime()));
    }

    @Override
    long take(long nowNanos, long permits) {
        if (permits > gcra.burst()) {
            return NEVER;
        }
        long cost = permits * interval;
        long now = gcra.ticks(nowNanos);
        long seen = contended ? tat.getAndAdd(0) : tat.get();
        while (true) {
            long debt = Gcra.debt(seen, now) + cost;
            if (debt > tolerance) {
                return gcra.waitNanos(debt - tolerance);
            }
            long found = tat.compareAndExchange(seen, now + debt);
            if (found == seen) {
                return 0;
            }
            seen = found;
            if (!contended) {
                contended = true;
            }
        }
    }

    @Override
    long peek(long nowNanos, long permits) {
        if (permits > gcra.burst()) {
            return NEVER;
        }
        long debt = Gcra.debt(tat.get(), gcra.ticks(nowNanos)) + permits * interval;
        return gcra.waitNanos(Math.max(0, debt - tolerance));
    }

    @Override
    void giveBack(long nowNanos, long takenNanos, long permits) {
        long now = gcra.ticks(nowNanos);
        long credit = Math.max(0, permits * interval - (now - gcra.ticks(takenNanos)));
        long seen = tat.get();
        long debt = Gcra.debt(seen, now);
        while (credit > 0 && debt > 0) {
            long found = tat.compareAndExchange(seen, now + Math.max(0, debt - credit));
            if (found == seen) {
                return;
            }
            seen = found;
            debt = Gcra.debt(seen, now);
        }
    }

    @Override
    void charge(long nowNanos, long permits) {
        throw new UnsupportedOperationException();
    }

    @Override
    long available(long nowNanos) {
        return gcra.available(Gcra.debt(tat.get(), gcra.ticks(nowNanos)));
    }

    @Override
    long resetNanos(long nowNanos) {
        return gcra.waitNanos(Gcra.debt(tat.get(), gcra.ticks(nowNanos)));
    }

    @Override
    Forecast forecast(long nowNanos) {
        return new Forecast() {
            private long planned = tat.get();

            @Override
            public long earliest(long fromNanos, long permits) {
                long debt = Gcra.debt(planned, gcra.ticks(fromNanos)) + permits * interval;
                return gcra.waitNanos(Math.max(0, debt - tolerance));
            }

            @Override
            public void take(long atNanos, long permits) {
                long now = gcra.ticks(atNanos);
                planned = now + Gcra.debt(planned, now) + permits * interval;
            }
        };
    }

    @Override
    long capacity() {
        return gcra.burst();
    }

    @Override
    public Limit limit() {
        return limit;
    }

    @Override
    void replace(long nowNanos, Limit limit, CarriedFill carried) {
        throw new UnsupportedOperationException();
    }
}
