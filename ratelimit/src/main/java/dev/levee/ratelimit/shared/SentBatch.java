package dev.levee.ratelimit.shared;

import dev.levee.core.Scheduler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Requests that were sent together, and what became of them. */
final class SentBatch {
    final List<SharedQuota> quotas;
    final QuotaBatch batch;

    /** When it was sent first. */
    final long sentNanos;

    volatile Scheduler.@Nullable Timer timer;

    /** What the latest attempt waits for. */
    private final AtomicReference<@Nullable CompletableFuture<?>> answer = new AtomicReference<>();

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

    /**
     * Calls the attempt before off: a client that has no connection keeps what it was given, and would send all
     * attempts when it has one again.
     */
    void isAsking(@Nullable CompletableFuture<?> next) {
        CompletableFuture<?> before = answer.getAndSet(next);
        if (before != null) {
            before.cancel(false);
        }
    }

    void cancelTimer() {
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
    }
}
