package dev.levee.benchmarks;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;

/** Levee's parts as a user gets them: defaults, and what the questions ask for. */
final class LeveeParts {
    private LeveeParts() {}

    static Bulkhead bulkhead() {
        return Bulkhead.of("u", Settings.CONCURRENT_CALLS);
    }

    static Retry retry() {
        return Retry.of("r");
    }
}
