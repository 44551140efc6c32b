package dev.levee.loadbalancing;

import dev.levee.core.Verdict;

/**
 * Counts how calls to one endpoint end, and requests a review when failures in a row may lead to an ejection. Failures
 * of calls that overlap a pause of this process do not count. See ADR 45.
 */
final class OutcomeObserver {
    final OutcomeCounters counters;
    private final PauseDetector pauses;
    private final Runnable requestReview;

    OutcomeObserver(OutcomeCounters counters, PauseDetector pauses, Runnable requestReview) {
        this.counters = counters;
        this.pauses = pauses;
        this.requestReview = requestReview;
    }

    void ended(long startNanos, long endNanos, Verdict verdict) {
        pauses.called();
        if (verdict == Verdict.SUCCESS) {
            counters.success(endNanos);
        } else if (verdict.isFailure() && !pauses.overlaps(startNanos, endNanos) && counters.failure(endNanos)) {
            requestReview.run();
        }
    }
}
