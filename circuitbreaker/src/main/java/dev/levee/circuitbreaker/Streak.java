package dev.levee.circuitbreaker;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** How many calls have failed in a row. A success after a success writes nothing. */
final class Streak extends Window {
    private final AtomicLong failures = new AtomicLong();

    @Override
    @Nullable Tally record(int outcome, long endNanos, Limits limits) {
        if ((outcome & FAILED) == 0) {
            if (failures.get() != 0) {
                failures.set(0);
            }
            return null;
        }
        long now = failures.incrementAndGet();
        return now < limits.minimumCalls ? null : new Tally(now, now, 0);
    }

    @Override
    Tally tally(long nowNanos) {
        long now = failures.get();
        return new Tally(now, now, 0);
    }

    @Override
    String explain(Tally tally, Limits limits) {
        return tally.failures() + " calls failed in a row";
    }
}
