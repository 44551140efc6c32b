package dev.levee.ratelimit.shared;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Permits that a process has taken ahead, as one number that calls take from; until when they are good does not change.
 * A lease that came later is behind it in the chain of {@link SharedQuota}.
 */
final class QuotaLease extends AtomicLong {
    private static final long serialVersionUID = 1L;

    final long initial;

    /** The reading of the clock from which its life counts: from before it was asked for. */
    final long sentNanos;

    /** From this reading on it is worth nothing. */
    final long untilNanos;

    /** From this reading on, or when no more than {@link #low} are left, the next one is asked for. */
    final long refreshNanos;

    final long low;

    /** Whether the next one was asked for. */
    volatile boolean isRenewed;

    transient volatile @Nullable QuotaLease next;

    /** How many of those that were used have been told; under the lock of the quota. */
    long told;

    QuotaLease(long permits, long sentNanos, long lifeNanos, long refreshNanos) {
        super(permits);
        this.initial = permits;
        this.low = permits / 2;
        this.sentNanos = sentNanos;
        this.untilNanos = sentNanos + lifeNanos;
        this.refreshNanos = refreshNanos;
    }

    boolean isLive(long nowNanos) {
        return nowNanos - untilNanos < 0;
    }

    /** Returns how many were used since this was called last; under the lock of the quota. */
    long untold(long left) {
        long fresh = initial - left - told;
        told += fresh;
        return fresh;
    }
}
