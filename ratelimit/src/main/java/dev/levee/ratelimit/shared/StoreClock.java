package dev.levee.ratelimit.shared;

import org.jspecify.annotations.Nullable;

/**
 * What a process knows of the time of the store, for one limiter and key: each answer bounds by how much it is ahead of
 * the clock of the process. Under the lock of the quota.
 *
 * <pre>{@code
 * store - received <= ahead <= store - sent
 * }</pre>
 */
final class StoreClock {
    /** How fast the upper bound follows answers that say less, so that it forgets an answer that was slow. */
    private static final int FOLLOW = 16;

    /** No answer is slower: what says more is of another time, of a store that has forgotten its own. */
    private final long slowestNanos;

    private boolean isKnown;
    private long most;
    private long least;

    StoreClock(long slowestNanos) {
        this.slowestNanos = slowestNanos;
    }

    /** Learns from an answer. */
    void answered(long storeNanos, long sentNanos, long receivedNanos) {
        long upper = storeNanos - sentNanos;
        long slack = most - upper;
        most = !isKnown || slack <= 0 || slack > slowestNanos ? upper : most - Math.max(1, slack / FOLLOW);
        least = storeNanos - receivedNanos;
        isKnown = true;
    }

    /** Returns the latest time of the store that it can be. */
    long latest(long nowNanos) {
        return isKnown ? nowNanos + most : Long.MAX_VALUE;
    }

    /** Returns a time of the store that is not after a reading of the clock; null if nothing is known. */
    @Nullable Long earliest(long nanos) {
        return isKnown ? nanos + least : null;
    }
}
