package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.math.BigInteger;

/**
 * The limit of a key, and its arithmetic: what a {@link KeySegment} needs of {@link Gcra}. Times are in its units,
 * counted from the base of a segment; {@code elapsed} is a reading of the clock less that base. Immutable. Not final,
 * so that tests can stop a call between what it reads and what it writes.
 */
@SuppressWarnings("StatementSwitchToExpressionSwitch")
class KeyPlan {
    /** The result of {@link #next} if the cost may not be taken. */
    static final long REFUSED = Long.MIN_VALUE;

    /** What is done to a bucket. */
    enum KeyChange {
        /** Takes permits, if there are as many. */
        TAKE,

        /** Takes permits in any case, down to the largest debt. */
        CHARGE,

        /** Gives permits back. */
        GIVE_BACK
    }

    final TokenBucketLimit limit;

    /** Tells the words of one plan of a key from those of another; 0 where all keys share one. */
    final long salt;

    private final Gcra gcra;

    /** The largest debt, in units. */
    private final long deepest;

    KeyPlan(TokenBucketLimit limit, long maxDebt, long salt) {
        this.limit = limit;
        this.salt = salt;
        gcra = Gcra.of(limit);
        deepest = gcra.tolerance + Require.range("maxDebt", maxDebt, 0, gcra.maxDebt()) * gcra.interval;
    }

    boolean isSameAs(KeyPlan other) {
        return this == other || limit.equals(other.limit);
    }

    long burst() {
        return gcra.burst;
    }

    /** Returns the cost of permits, at most that of all that a change can take. */
    long cost(long permits) {
        return Math.min(permits, deepest / gcra.interval) * gcra.interval;
    }

    /** Whether a base is so long ago that another one is needed. */
    boolean isTooLate(long elapsed) {
        return elapsed > 0 && !gcra.isInRange(elapsed);
    }

    /** Whether a clock has gone back so far that nothing can be said but that nothing is admitted. */
    boolean isTooEarly(long elapsed) {
        return elapsed < 0 && !gcra.isInRange(elapsed);
    }

    /** Returns a time in units; one that is not in range counts as the earliest that is. */
    long units(long elapsed) {
        return gcra.units(gcra.isInRange(elapsed) ? elapsed : gcra.earliest());
    }

    /** Returns the arrival time of a bucket that was full, or had a debt, after a change; or {@link #REFUSED}. */
    long next(KeyChange change, long tat, long now, long cost) {
        switch (change) {
            case TAKE:
                long debt = tat - now;
                return debt > gcra.tolerance - cost ? REFUSED : (debt > 0 ? tat : gcra.start(now)) + cost;
            case CHARGE:
                long start = Math.max(tat, gcra.start(now));
                long end = Math.max(tat, now + deepest);
                return start > end - cost ? end : start + cost;
            default:
                return tat - now <= 0 ? tat : Math.max(now, tat - cost);
        }
    }

    /** Returns how long a cost has to wait, in nanoseconds, rounded up. */
    long waitNanos(long tat, long cost, long elapsed) {
        return Math.max(gcra.nanosUntil(tat - (gcra.tolerance - cost), elapsed), gcra.earliest() - elapsed);
    }

    /** Returns how far a bucket is from full, at a reading of any age. */
    long debt(long tat, long elapsed) {
        if (gcra.isInRange(elapsed)) {
            return Gcra.debt(tat, gcra.units(elapsed));
        }
        return Math.max(0, gcra.from(tat, Math.max(elapsed, gcra.earliest())));
    }

    long nanos(long debt) {
        return debt == 0 ? 0 : gcra.nanosUntil(debt, 0);
    }

    /** Returns how long permits have to wait for a bucket with a debt; 0 if they are there. At most the burst. */
    long waitNanos(long debt, long permits) {
        long room = gcra.tolerance - permits * gcra.interval;
        return debt > room ? gcra.nanosUntil(debt - room, 0) : 0;
    }

    /** Plans calls of a bucket with a debt. */
    Forecast forecast(long debt, long nowNanos) {
        return new PlannedBucket(gcra, nowNanos, debt);
    }

    /**
     * Returns by how much a debt can be lowered when permits were not used after all, see {@link Gcra.CreditRule}.
     *
     * @param before the plan by which they were taken
     */
    long credit(long permits, long elapsedNanos, KeyPlan before) {
        return isSameAs(before)
                ? gcra.credit(permits, elapsedNanos)
                : new Gcra.CreditRule(before.gcra, 0).followedBy(gcra, 1).of(permits, 0, elapsedNanos);
    }

    long available(long debt) {
        return gcra.available(debt);
    }

    /** Returns an arrival time that is counted from a later base. */
    long from(long tat, long later) {
        return gcra.from(tat, later);
    }

    /** Returns the arrival time of a bucket with a debt. */
    long tat(long debt, long elapsed) {
        return debt == 0 ? Gcra.LONG_FULL : gcra.start(units(elapsed)) + debt;
    }

    /**
     * Returns the debt of a bucket that had another plan until now: of as many permits, but within the burst at most of
     * all that the bucket now holds, and beyond the burst at most the largest debt.
     */
    long convert(long debt, KeyPlan from) {
        long within = Math.min(debt, from.gcra.tolerance);
        long beyond = scaled(debt - within, from);
        return Math.min(scaled(within, from), gcra.tolerance) + Math.min(beyond, deepest - gcra.tolerance);
    }

    private long scaled(long debt, KeyPlan from) {
        BigInteger[] scaled = BigInteger.valueOf(debt)
                .multiply(BigInteger.valueOf(gcra.interval))
                .divideAndRemainder(BigInteger.valueOf(from.gcra.interval));
        BigInteger rounded = scaled[0].add(BigInteger.valueOf(scaled[1].signum()));
        return rounded.bitLength() > 63 ? Long.MAX_VALUE : rounded.longValue();
    }
}
