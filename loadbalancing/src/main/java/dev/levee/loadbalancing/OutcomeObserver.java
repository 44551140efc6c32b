package dev.levee.loadbalancing;

import dev.levee.core.Verdict;

/** Takes down how calls to one endpoint end, and calls for a look when there is something to see. */
final class OutcomeObserver {
    final OutcomeCounters record;
    private final PauseDetector stalls;
    private final Runnable look;

    OutcomeObserver(OutcomeCounters record, PauseDetector stalls, Runnable look) {
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
