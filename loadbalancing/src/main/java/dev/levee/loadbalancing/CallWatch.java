package dev.levee.loadbalancing;

import dev.levee.core.Verdict;

/** Takes down how calls to one endpoint end, and calls for a look when there is something to see. */
final class CallWatch {
    final PassiveRecord record;
    private final Stalls stalls;
    private final Runnable look;

    CallWatch(PassiveRecord record, Stalls stalls, Runnable look) {
        this.record = record;
        this.stalls = stalls;
        this.look = look;
    }

    void ended(long startNanos, long endNanos, Verdict verdict) {
        if (verdict == Verdict.SUCCESS) {
            record.success(endNanos);
        } else if (verdict.isFailure() && !stalls.overlap(startNanos, endNanos) && record.failure(endNanos)) {
            look.run();
        }
    }
}
