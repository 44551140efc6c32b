package dev.levee.ratelimit.shared;

import dev.levee.core.Scheduler;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Requests that were sent together, and what became of them. */
final class SentBatch {
    final List<SharedQuota> quotas;
    final QuotaBatch batch;

    /** When it was sent first. */
    final long sentNanos;

    volatile Scheduler.@Nullable Timer timer;

    /** Counts attempts that have ended. Written under the lock of the link, as the rest. */
    volatile int attempt;

    /** Whether it is known what became of it, or will never be. */
    boolean isSettled;

    /** Whether it is among those that were not answered. */
    boolean hasFailed;

    /** Whether a probe is on its way with it. */
    boolean isProbing;

    SentBatch(List<SharedQuota> quotas, QuotaBatch batch, long sentNanos) {
        this.quotas = quotas;
        this.batch = batch;
        this.sentNanos = sentNanos;
    }

    void cancelTimer() {
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
    }
}
