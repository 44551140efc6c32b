package dev.levee.circuitbreaker;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** How many calls have failed in a row. A success after a success writes nothing. */
final class Streak extends Window {
    private final long limit;
    private final AtomicLong failures = new AtomicLong();

    Streak(long limit) {
        this.limit = limit;
    }

    @Override
    @Nullable Tally record(int outcome, long endNanos) {
        if ((outcome & FAILED) == 0) {
            if (failures.get() != 0) {
                failures.set(0);
            }
            return null;
        }
        long now = failures.incrementAndGet();
        return now < limit ? null : new Tally(now, now, 0);
    }

    @Override
    Tally tally(long nowNanos) {
        long now = failures.get();
        return new Tally(now, now, 0);
    }

    @Override
    String explain(Tally tally) {
        return tally.failures() + " calls failed in a row";
    }
}
