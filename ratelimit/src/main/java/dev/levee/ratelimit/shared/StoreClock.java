package dev.levee.ratelimit.shared;

import dev.levee.core.internal.ServerLead;
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
    private @Nullable ServerLead most;
    private long least;

    /** Learns from an answer. */
    void answered(long storeNanos, long sentNanos, long receivedNanos) {
        most = ServerLead.after(most, storeNanos, sentNanos);
        least = storeNanos - receivedNanos;
    }

    /** Returns the latest time of the store that it can be. */
    long latest(long nowNanos) {
        ServerLead known = most;
        return known == null ? Long.MAX_VALUE : nowNanos + known.nanos();
    }

    /** Returns a time of the store that is not after a reading of the clock; null if nothing is known. */
    @Nullable Long earliest(long nanos) {
        return most == null ? null : nanos + least;
    }
}
