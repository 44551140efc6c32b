package dev.levee.ratelimit;

import dev.levee.core.internal.PaddedLong;
import org.jspecify.annotations.Nullable;

/**
 * A limit, and what was taken of it, in one word: the state of a {@link SingleLimiter} until the limit is replaced. See
 * {@link Gcra}.
 */
final class BucketState {
    /** The one number that is no theoretical arrival time. */
    static final long SEALED = Long.MIN_VALUE;

    final TokenBucketLimit limit;
    final Gcra gcra;

    /** The reading of the clock from which others count. */
    final long base;

    /** How much is given back. */
    final Gcra.CreditRule credits;

    /** The theoretical arrival time, in units after the base; or {@link #SEALED}. */
    final PaddedLong tat;

    final long maxDebt;

    /** What is asked instead since the word was sealed, if it was for another algorithm. */
    volatile @Nullable MeteredLimit metered;

    BucketState(TokenBucketLimit limit, Gcra gcra, long base, Gcra.CreditRule credits, long tat, long maxDebt) {
        this.limit = limit;
        this.gcra = gcra;
        this.base = base;
        this.credits = credits;
        this.tat = new PaddedLong(tat);
        this.maxDebt = maxDebt;
    }

    /** Returns a reading in units; the reading must not be too late. One that is too early counts as later. */
    long units(long nowNanos) {
        long elapsed = nowNanos - base;
        return gcra.units(gcra.isInRange(elapsed) ? elapsed : gcra.earliest());
    }

    /** Whether a clock has gone back so far that nothing can be said but that it admits nothing. */
    boolean isTooEarly(long nowNanos) {
        long elapsed = nowNanos - base;
        return elapsed < 0 && !gcra.isInRange(elapsed);
    }

    boolean isTooLate(long nowNanos) {
        long elapsed = nowNanos - base;
        return elapsed > 0 && !gcra.isInRange(elapsed);
    }

    /** Returns what the word becomes if permits are taken; {@link #SEALED} if they may not be there. */
    long next(long seen, long nowNanos, long permits) {
        long elapsed = nowNanos - base;
        if (seen == SEALED || permits > gcra.burst || !gcra.isInRange(elapsed)) {
            return SEALED;
        }
        long now = gcra.units(elapsed);
        long debt = seen - now;
        long cost = permits * gcra.interval;
        return debt > gcra.tolerance - cost ? SEALED : (debt > 0 ? seen : gcra.start(now)) + cost;
    }

    /** Returns how far it is from full; for a reading of any age. */
    long debt(long seen, long nowNanos) {
        long elapsed = isTooLate(nowNanos) ? nowNanos - base : Math.max(nowNanos - base, gcra.earliest());
        return Math.max(0, gcra.from(seen, elapsed));
    }

    /** Returns the units of permits, at most of all that can be used. */
    long cost(long permits) {
        return Math.min(permits, (gcra.tolerance + maxDebt) / gcra.interval) * gcra.interval;
    }

    /** Lowers the debt. Returns whether it could; not if the word is sealed. */
    boolean credit(long credit, long nowNanos) {
        long now = units(nowNanos);
        long seen = tat.get();
        while (seen != SEALED) {
            if (credit == 0 || seen - now <= 0) {
                return true;
            }
            long found = tat.compareAndExchange(seen, Math.max(now, seen - credit));
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Returns how long it is until a time in units, and until readings are not too early. */
    long waitNanos(long units, long nowNanos) {
        long elapsed = nowNanos - base;
        return Math.max(gcra.nanosUntil(units, elapsed), gcra.earliest() - elapsed);
    }
}
