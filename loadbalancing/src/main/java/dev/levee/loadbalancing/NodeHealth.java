package dev.levee.loadbalancing;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the {@link HealthMonitor} knows of one endpoint: its health, the counters of its calls, and its checks.
 *
 * <p>{@link #health} and the observer may be read by any thread. Everything else belongs to the review, which runs one
 * at a time. Totals are never reset: the counts of an interval or of the recent steps are differences to the totals at
 * its beginning, so that no call is lost between two. See ADR 46.
 */
final class NodeHealth {
    final String label;
    /** Null if calls are not observed. */
    final @Nullable OutcomeObserver observer;

    volatile EndpointHealth health;
    /** The state that the listener was last notified of. */
    HealthState published;

    private volatile @Nullable RepeatedCheck<?> checks;
    private volatile boolean checksStopped;

    private final @Nullable OutcomeCounters counters;
    private long intervalSuccesses;
    private long intervalFailures;
    /** Totals at the beginning of the last step but one. */
    private long recentSuccesses;

    private long recentFailures;
    /** Totals at the beginning of the last step. */
    private long stepSuccesses;

    private long stepFailures;

    /** Calls in each step of this interval. */
    private final long[] successesByStep = new long[HealthMonitor.STEPS];

    private final long[] failuresByStep = new long[HealthMonitor.STEPS];

    /** What the run weighs so far, in failures at a time when no peer failed. */
    private double evidence;
    /** How much of the run has been weighed: its length, and its beginning. */
    private long weighedRun;

    private long weighedSince;

    NodeHealth(String label, EndpointHealth health, @Nullable OutcomeObserver observer) {
        this.label = label;
        this.health = health;
        this.observer = observer;
        this.counters = observer == null ? null : observer.counters;
        this.published = health.state();
    }

    void startChecks(RepeatedCheck<?> repeated) {
        checks = repeated;
        if (!checksStopped) {
            repeated.start();
        }
    }

    /** Stops the checks for good; one that runs is interrupted. */
    void stopChecks() {
        checksStopped = true;
        RepeatedCheck<?> running = checks;
        if (running != null) {
            running.stop();
        }
    }

    /** How many calls in a row have failed, up to now. */
    long run() {
        return counters == null ? 0L : counters.run();
    }

    /** When the first call of the run failed; meaningless without a run. */
    long runSince() {
        return counters == null ? 0L : counters.runSince();
    }

    /**
     * Weighs the failures that have come since the last time, by the rate at which peers fail now: at the same time,
     * and not later, when a fault that they shared is over.
     *
     * @param minRun how many weigh enough if no peer fails
     * @param peerRate the rate at which peers fail now
     * @return what the run weighs, from 0 to its length
     */
    double weigh(int minRun, double peerRate) {
        long run = run();
        long since = runSince();
        if (run < weighedRun || since != weighedSince) {
            evidence = 0.0;
            weighedRun = 0L;
            weighedSince = since;
        }
        if (run > weighedRun) {
            evidence += (run - weighedRun) * (double) minRun / FailureSignificance.shortestRun(minRun, peerRate);
            weighedRun = run;
        }
        return evidence;
    }

    boolean hasOutcomeSince(long nanos) {
        return hasOutcome() && counters != null && counters.lastNanos() - nanos >= 0;
    }

    /** When the last call ended; meaningless without an outcome. */
    long lastNanos() {
        return counters == null ? 0L : counters.lastNanos();
    }

    boolean hasOutcome() {
        return counters != null && counters.successes() + counters.failures() > 0;
    }

    /** Successes in this step and the last. */
    long recentSuccesses() {
        return counters == null ? 0L : counters.successes() - recentSuccesses;
    }

    /** Failures in this step and the last. */
    long recentFailures() {
        return counters == null ? 0L : counters.failures() - recentFailures;
    }

    /** Returns the successes in each step of the interval that is over. */
    long[] successesByStep() {
        return successesByStep.clone();
    }

    /** Returns the failures in each step of the interval that is over. */
    long[] failuresByStep() {
        return failuresByStep.clone();
    }

    /** Ends a step, by its number in the interval. */
    void nextStep(int step) {
        if (counters != null) {
            successesByStep[step] = counters.successes() - Math.max(stepSuccesses, intervalSuccesses);
            failuresByStep[step] = counters.failures() - Math.max(stepFailures, intervalFailures);
            nextStep();
        }
    }

    private void nextStep() {
        if (counters != null) {
            recentSuccesses = stepSuccesses;
            recentFailures = stepFailures;
            stepSuccesses = counters.successes();
            stepFailures = counters.failures();
        }
    }

    void nextInterval() {
        if (counters != null) {
            intervalSuccesses = counters.successes();
            intervalFailures = counters.failures();
            Arrays.fill(successesByStep, 0L);
            Arrays.fill(failuresByStep, 0L);
        }
    }

    /** Forgets the calls so far, when an ejection has ended: they say nothing about the endpoint any more. */
    void restart() {
        if (counters != null) {
            counters.resetRun();
            nextInterval();
            nextStep();
            nextStep();
        }
    }
}
