package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of {@link RateLimiter}: one bucket, in one word, see {@link Gcra}.
 *
 * <p>A reading of the clock is kept while the word is contended for: an old one makes the debt look larger, so it is
 * only stricter, and the caller is admitted as of the moment at which it called. See ADR 19.
 */
final class TokenBucket implements RateLimiter {
    private final String name;
    private final TokenBucketLimit limit;
    private final Environment environment;
    private final NanoClock clock;
    private final Listener listener;
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

    private final @Nullable CallTotals totals;
    private final RateLimitedException refusal;

    TokenBucket(String name, RateLimiterConfig config, Environment environment) {
        this.name = Require.name(name);
        this.limit = (TokenBucketLimit) Require.nonNull("config", config).limit();
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.listener = environment.listener();
        this.gcra = Gcra.of(limit);
        this.interval = gcra.interval();
        this.tolerance = gcra.tolerance();
        this.tat = new PaddedLong(gcra.ticks(clock.nanoTime()));
        this.totals = config.totals() ? new CallTotals() : null;
        this.refusal = new RateLimitedException(
                name, "limiter \"" + name + "\" has no permit: " + limit, this::nextPermitNanos, true);
    }

    /**
     * Takes the cost out of the bucket.
     *
     * @return 0 if it was taken, else by how many ticks the debt is too high
     */
    private long take(long nowNanos, long cost) {
        long now = gcra.ticks(nowNanos);
        long seen = contended ? tat.getAndAdd(0) : tat.get();
        while (true) {
            long debt = Gcra.debt(seen, now) + cost;
            if (debt > tolerance) {
                return debt - tolerance;
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

    private void count(boolean admitted) {
        if (totals != null) {
            totals.count(admitted);
        }
    }

    @Override
    public long tryAcquireOrWaitNanos() {
        return tryAcquireOrWaitNanos(interval, clock.nanoTime());
    }

    @Override
    public long tryAcquireOrWaitNanos(long permits) {
        if (permits > gcra.burst()) {
            refused();
            return NEVER;
        }
        return tryAcquireOrWaitNanos(Require.range("permits", permits, 1, Long.MAX_VALUE) * interval, clock.nanoTime());
    }

    private long tryAcquireOrWaitNanos(long cost, long nowNanos) {
        long excess = take(nowNanos, cost);
        if (excess == 0) {
            count(true);
            return 0;
        }
        refused();
        return gcra.waitNanos(excess);
    }

    private void refused() {
        count(false);
        if (listener != Listener.NONE) {
            listener.onRefused(kind(), name);
        }
    }

    @Override
    public long tryEnter(long nowNanos) {
        boolean admitted = take(nowNanos, interval) == 0;
        count(admitted);
        return admitted ? stamp(gcra.ticks(nowNanos)) : REFUSED;
    }

    /**
     * Returns the stamp of a call that was admitted at a time: that time but for its highest bit, and one that is set.
     */
    private static long stamp(long now) {
        return (now << 1) | 1;
    }

    private static long elapsed(long stamp, long now) {
        return (stamp(now) - stamp) >>> 1;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        // Otherwise the permit was consumed at entry.
        if (verdict == Verdict.NOT_SENT) {
            giveBack(stamp);
        }
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        giveBack(stamp);
    }

    /**
     * Gives back the permit of a call that was not sent, less the time since it was admitted, which has begun to fill
     * the bucket again.
     */
    private void giveBack(long stamp) {
        long now = gcra.ticks(clock.nanoTime());
        long credit = gcra.credit(elapsed(stamp, now));
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

    private long debtNow() {
        return Gcra.debt(tat.get(), gcra.ticks(clock.nanoTime()));
    }

    private long nextPermitNanos() {
        return gcra.waitNanos(Math.max(0, debtNow() + interval - tolerance));
    }

    @Override
    public long availablePermits() {
        return gcra.available(debtNow());
    }

    @Override
    public int timing() {
        return ENTRY;
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        return refusal;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, "limiter.permits.available", (double) availablePermits());
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" [" + limit + "]";
    }
}
