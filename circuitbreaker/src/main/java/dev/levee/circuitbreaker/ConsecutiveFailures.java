package dev.levee.circuitbreaker;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Counts the calls that have failed in a row. A success after a success writes nothing. */
final class ConsecutiveFailures extends Window {
    private final AtomicLong failures = new AtomicLong();

    @Override
    @Nullable Counts record(int outcome, long endNanos, Thresholds limits) {
        if ((outcome & FAILED) == 0) {
            if (failures.get() != 0) {
                failures.set(0);
            }
            return null;
        }
        long now = failures.incrementAndGet();
        return now < limits.minCalls ? null : new Counts(now, now, 0);
    }

    @Override
    Counts tally(long nowNanos) {
        long now = failures.get();
        return new Counts(now, now, 0);
    }

    @Override
    String explain(Counts tally, Thresholds limits) {
        return tally.failures() + " calls failed in a row";
    }
}
