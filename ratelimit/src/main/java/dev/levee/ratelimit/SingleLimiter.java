package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import java.math.BigInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The limiter of one limit: a token bucket in one word, see {@link Gcra}, or what a {@link Meter} counts.
 *
 * <p>A reading of the clock is kept while the word is contended for: an old one makes the debt look larger, so it is
 * only stricter, and the caller is admitted as of the moment at which it called. See ADR 19.
 *
 * <p><b>Replacing.</b> The word and its arithmetic are one immutable object. To replace it, its word is sealed, the new
 * object is made from what the word was, and published. A thread that comes upon the sealed word waits for that at the
 * lock. So each call is counted in the old object or in the new one, never in neither, and all calls agree on the order
 * ({@link #replace}). The same happens when the clock has moved far from the base ({@link #moveBase}). See ADR 86.
 *
 * <p><b>Limits that are no token bucket.</b> The word is sealed for good, and says so: what comes upon it asks the
 * {@link MeteredLimit} instead. So a bucket looks for no other algorithm. To go back the meter is closed, and a new
 * object is published. See ADR 173.
 */
final class SingleLimiter extends AbstractLimiter {
    /** Stands where there is no bucket. */
    private static final TokenBucketLimit NO_BUCKET = Limit.perSecond(1);

    private final RateLimiterConfig config;
    private final long initialPermits;
    private final long maxDebt;

    /** Held while {@link #bucket} is replaced. No user code runs under it. */
    private final ReentrantLock replacing = new ReentrantLock();

    private volatile BucketState bucket;

    /**
     * Whether two threads have ever contended for the word. After that the word is fetched to be written, not to be
     * read: its cache line is transferred once instead of twice for each call, and fewer exchanges fail. Nothing
     * depends on it, so it may be seen late.
     */
    private boolean contended;

    SingleLimiter(String name, RateLimiterConfig config, Environment environment) {
        super(name, config, environment);
        this.config = config;
        this.initialPermits = config.initialPermits();
        this.maxDebt = config.maxDebt();
        long now = environment.clock().nanoTime();
        if (config.limit() instanceof TokenBucketLimit limit) {
            Gcra gcra = Gcra.of(limit);
            Gcra.CreditRule credits = new Gcra.CreditRule(gcra, now);
            this.bucket = new BucketState(limit, gcra, now, credits, initialTat(gcra), checkedDebt(gcra));
        } else {
            MeteredLimit metered = new MeteredLimit(config, config.limit(), environment, now, now);
            metered.chargeInitially(now);
            Gcra none = Gcra.of(NO_BUCKET);
            this.bucket = new BucketState(NO_BUCKET, none, now, new Gcra.CreditRule(none, now), BucketState.SEALED, 0);
            this.bucket.metered = metered;
        }
    }

    private long initialTat(Gcra gcra) {
        return initialPermits < gcra.burst ? gcra.tolerance - initialPermits * gcra.interval : Gcra.LONG_FULL;
    }

    private long checkedDebt(Gcra gcra) {
        return Require.range("maxDebt", maxDebt, 0, gcra.maxDebt()) * gcra.interval;
    }

    /** Returns the bucket; null if threads have contended for it. */
    @Nullable BucketState calmBucket() {
        return contended ? null : bucket;
    }

    @Override
    long take(long nowNanos, long permits) {
        while (true) {
            BucketState current = current(nowNanos);
            Gcra gcra = current.gcra;
            if (permits > gcra.burst && current.metered == null) {
                return NEVER;
            }
            long cost = permits * gcra.interval;
            long room = gcra.tolerance - cost;
            long now = current.units(nowNanos);
            long seen = contended ? current.tat.getAndAdd(0) : current.tat.get();
            while (seen != BucketState.SEALED) {
                long debt = seen - now;
                if (debt > room || current.isTooEarly(nowNanos)) {
                    return current.waitNanos(seen - room, nowNanos);
                }
                long found = current.tat.compareAndExchange(seen, (debt > 0 ? seen : gcra.start(now)) + cost);
                if (found == seen) {
                    return 0;
                }
                seen = found;
                if (!contended) {
                    contended = true;
                }
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                long wait = metered.take(nowNanos, permits);
                if (wait != Meter.CLOSED) {
                    return wait;
                }
                awaitReplacement();
            }
        }
    }

    @Override
    long peek(long nowNanos, long permits) {
        while (true) {
            BucketState current = current(nowNanos);
            Gcra gcra = current.gcra;
            if (permits > gcra.burst && current.metered == null) {
                return NEVER;
            }
            long room = gcra.tolerance - permits * gcra.interval;
            long tat = current.tat.get();
            if (tat != BucketState.SEALED) {
                return tat - current.units(nowNanos) > room || current.isTooEarly(nowNanos)
                        ? current.waitNanos(tat - room, nowNanos)
                        : 0;
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                long wait = metered.peek(nowNanos, permits);
                if (wait != Meter.CLOSED) {
                    return wait;
                }
                awaitReplacement();
            }
        }
    }

    @Override
    boolean isSameSpan(long plannedNanos, long nowNanos) {
        MeteredLimit metered = bucket.metered;
        return metered == null || metered.isSameSpan(plannedNanos, nowNanos);
    }

    @Override
    void giveBack(long nowNanos, long takenNanos, long permits) {
        while (true) {
            BucketState current = current(nowNanos);
            long credit = current.credits.of(permits, takenNanos, nowNanos);
            if (current.credit(credit, nowNanos)) {
                return;
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                metered.giveBack(nowNanos, takenNanos, permits);
                return;
            }
        }
    }

    @Override
    void refund(long nowNanos, long permits) {
        while (true) {
            BucketState current = current(nowNanos);
            if (current.credit(current.cost(permits), nowNanos)) {
                return;
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                if (metered.refund(nowNanos, permits) != Meter.CLOSED) {
                    return;
                }
                awaitReplacement();
            }
        }
    }

    @Override
    void charge(long nowNanos, long permits) {
        while (true) {
            BucketState current = current(nowNanos);
            Gcra gcra = current.gcra;
            long now = current.units(nowNanos);
            long deepest = now + gcra.tolerance + current.maxDebt;
            long cost = current.cost(permits);
            long seen = current.tat.get();
            while (seen != BucketState.SEALED) {
                long start = Math.max(seen, gcra.start(now));
                long end = Math.max(seen, deepest);
                long found = current.tat.compareAndExchange(seen, start > end - cost ? end : start + cost);
                if (found == seen) {
                    return;
                }
                seen = found;
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                if (metered.charge(nowNanos, permits) != Meter.CLOSED) {
                    return;
                }
                awaitReplacement();
            }
        }
    }

    @Override
    long available(long nowNanos) {
        while (true) {
            BucketState current = current(nowNanos);
            long tat = current.tat.get();
            if (tat != BucketState.SEALED) {
                return current.gcra.available(Gcra.debt(tat, current.units(nowNanos)));
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                return metered.available(nowNanos);
            }
        }
    }

    @Override
    long resetNanos(long nowNanos) {
        while (true) {
            BucketState current = current(nowNanos);
            long tat = current.tat.get();
            if (tat != BucketState.SEALED) {
                return tat - current.units(nowNanos) > 0 ? current.waitNanos(tat, nowNanos) : 0;
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                return metered.resetNanos(nowNanos);
            }
        }
    }

    @Override
    Forecast forecast(long nowNanos) {
        while (true) {
            BucketState current = current(nowNanos);
            long tat = current.tat.get();
            if (tat != BucketState.SEALED) {
                return new PlannedBucket(current.gcra, nowNanos, Gcra.debt(tat, current.units(nowNanos)));
            }
            MeteredLimit metered = metered(current);
            if (metered != null) {
                Forecast forecast = metered.forecast(nowNanos);
                if (forecast != null) {
                    return forecast;
                }
                awaitReplacement();
            }
        }
    }

    @Override
    long capacity() {
        BucketState current = bucket;
        MeteredLimit metered = current.metered;
        return metered == null ? current.gcra.burst : metered.capacity();
    }

    @Override
    public Limit limit() {
        BucketState current = bucket;
        MeteredLimit metered = current.metered;
        return metered == null ? current.limit : metered.limit();
    }

    /** Returns the bucket that counts at a reading. */
    private BucketState current(long nowNanos) {
        BucketState current = bucket;
        while (current.isTooLate(nowNanos) && current.metered == null) {
            moveBase(current, nowNanos);
            current = bucket;
        }
        return current;
    }

    /** Returns what is asked instead of a word that was found sealed; null if another word takes its place. */
    private @Nullable MeteredLimit metered(BucketState sealed) {
        MeteredLimit metered = sealed.metered;
        if (metered == null) {
            awaitReplacement();
        }
        return metered;
    }

    /** Waits for the thread that has sealed the word, or closed the meter, and is about to publish what follows. */
    @SuppressWarnings("LockNotBeforeTry") // there is nothing in between
    private void awaitReplacement() {
        replacing.lock();
        replacing.unlock();
    }

    /** Replaces a bucket by one of the same state, whose readings count from a later time. */
    private void moveBase(BucketState old, long nowNanos) {
        replacing.lock();
        try {
            if (bucket == old && old.metered == null) {
                Gcra.CreditRule credits = old.credits.at(nowNanos);
                BucketState moved =
                        new BucketState(old.limit, old.gcra, nowNanos, credits, BucketState.SEALED, old.maxDebt);
                publish(old, moved, tat -> old.gcra.from(tat, nowNanos - old.base));
            }
        } finally {
            replacing.unlock();
        }
    }

    @Override
    void replace(long nowNanos, Limit limit, CarriedFill carried) {
        replacing.lock();
        try {
            BucketState old = bucket;
            MeteredLimit metered = old.metered;
            if (limit instanceof TokenBucketLimit next) {
                replaceByBucket(old, metered, nowNanos, next, carried);
            } else if (metered == null) {
                replaceByMeter(old, nowNanos, limit, carried);
            } else {
                metered.replace(nowNanos, limit, carried);
            }
        } finally {
            replacing.unlock();
        }
    }

    private void replaceByBucket(
            BucketState old,
            @Nullable MeteredLimit metered,
            long nowNanos,
            TokenBucketLimit limit,
            CarriedFill carried) {
        Gcra gcra = Gcra.of(limit);
        // What was taken by another measure, or of another algorithm, is not given back by this one.
        Gcra.CreditRule credits = carried == CarriedFill.SAME_USED && metered == null
                ? old.credits.followedBy(gcra, nowNanos)
                : new Gcra.CreditRule(gcra, nowNanos + 1);
        BucketState changed = new BucketState(limit, gcra, nowNanos, credits, BucketState.SEALED, checkedDebt(gcra));
        if (metered == null) {
            publish(
                    old,
                    changed,
                    tat -> carried == CarriedFill.RESET
                            ? initialTat(gcra)
                            : carriedDebt(old, old.debt(tat, nowNanos), changed, carried));
            return;
        }
        long capacity = metered.capacity();
        long used = metered.close(nowNanos);
        long tat = gcra.tolerance; // nothing is there, should the next lines fail
        try {
            tat = carried == CarriedFill.RESET ? initialTat(gcra) : carriedDebt(used, capacity, changed, carried);
        } finally {
            changed.tat.set(tat);
            bucket = changed;
        }
    }

    /** Seals the bucket for good, with what counts from then on. */
    private void replaceByMeter(BucketState old, long nowNanos, Limit limit, CarriedFill carried) {
        MeteredLimit next = new MeteredLimit(config, limit, environment(), nowNanos, nowNanos + 1);
        long tat = seal(old);
        try {
            long interval = old.gcra.interval;
            long debt = old.debt(tat, nowNanos);
            next.carry(debt / interval + (debt % interval > 0 ? 1 : 0), old.gcra.burst, nowNanos, carried);
        } catch (Throwable noMemory) {
            old.tat.set(tat);
            throw noMemory;
        }
        old.metered = next;
    }

    /** Seals a bucket and puts another one in its place, or leaves everything as it was; under the lock. */
    private void publish(BucketState old, BucketState next, LongUnaryOperator nextTat) {
        long tat = seal(old);
        try {
            next.tat.set(nextTat.applyAsLong(tat));
        } catch (Throwable noMemory) {
            old.tat.set(tat);
            throw noMemory;
        }
        bucket = next;
    }

    /** Seals the word of a bucket. Returns what it was. */
    private static long seal(BucketState old) {
        long tat = old.tat.get();
        for (long found = tat; (found = old.tat.compareAndExchange(tat, BucketState.SEALED)) != tat; ) {
            tat = found;
        }
        return tat;
    }

    /** Returns the debt of a bucket that has as many permits used, or the same share, as another limit. */
    private static long carriedDebt(long used, long capacity, BucketState next, CarriedFill carried) {
        long within = Math.min(used, capacity);
        long carriedUsed = carried == CarriedFill.IN_PROPORTION
                ? scaled(within, next.gcra.tolerance, capacity, next.gcra.tolerance)
                : scaled(within, next.gcra.interval, 1, next.gcra.tolerance);
        return carriedUsed + scaled(used - within, next.gcra.interval, 1, next.maxDebt);
    }

    /** Returns the debt of a bucket in the measure of another one, rounded up. */
    private static long carriedDebt(BucketState old, long debt, BucketState next, CarriedFill carried) {
        long used = Math.min(debt, old.gcra.tolerance);
        long carriedUsed = carried == CarriedFill.IN_PROPORTION
                ? scaled(used, next.gcra.tolerance, old.gcra.tolerance, next.gcra.tolerance)
                : scaled(used, next.gcra.interval, old.gcra.interval, next.gcra.tolerance);
        return carriedUsed + scaled(debt - used, next.gcra.interval, old.gcra.interval, next.maxDebt);
    }

    private static long scaled(long value, long to, long from, long most) {
        BigInteger[] parts =
                BigInteger.valueOf(value).multiply(BigInteger.valueOf(to)).divideAndRemainder(BigInteger.valueOf(from));
        return parts[0].add(BigInteger.valueOf(parts[1].signum()))
                .min(BigInteger.valueOf(most))
                .longValueExact();
    }
}
