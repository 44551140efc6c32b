package dev.levee.loadbalancing;

import org.jspecify.annotations.Nullable;

/** What the {@link HealthMonitor} knows of one endpoint. All but {@link #health} and the watch belong to whoever reviews the set. */
final class NodeHealth {
    final @Nullable OutcomeObserver watch;
    volatile EndpointHealth health;
    HealthState told; // to the listener
    private volatile @Nullable RepeatedCheck<?> check;
    private volatile boolean checksStopped;

    private final @Nullable OutcomeCounters record;
    private long intervalSuccesses;
    private long intervalFailures;
    private long recentSuccesses; // at the beginning of the last step but one
    private long recentFailures;
    private long stepSuccesses;
    private long stepFailures;

    NodeHealth(EndpointHealth health, @Nullable OutcomeObserver watch) {
        this.health = health;
        this.watch = watch;
        this.record = watch == null ? null : watch.record;
        this.told = health.state();
    }

    void startChecks(RepeatedCheck<?> repeated) {
        check = repeated;
        if (!checksStopped) {
            repeated.start();
        }
    }

    /** For good; whatever runs is interrupted. */
    void stopChecks() {
        checksStopped = true;
        RepeatedCheck<?> running = check;
        if (running != null) {
            running.stop();
        }
    }

    /** How many failures in a row. */
    long run() {
        return record == null ? 0L : record.run();
    }

    long runSince() {
        return record == null ? 0L : record.runSince();
    }

    boolean hasOutcomeSince(long nanos) {
        return hasOutcome() && record != null && record.lastNanos() - nanos >= 0;
    }

    boolean hasOutcome() {
        return record != null && record.successes() + record.failures() > 0;
    }

    long successesOfInterval() {
        return record == null ? 0L : record.successes() - intervalSuccesses;
    }

    long failuresOfInterval() {
        return record == null ? 0L : record.failures() - intervalFailures;
    }

    /** In this step and the last. */
    long recentSuccesses() {
        return record == null ? 0L : record.successes() - recentSuccesses;
    }

    long recentFailures() {
        return record == null ? 0L : record.failures() - recentFailures;
    }

    void nextStep() {
        if (record != null) {
            recentSuccesses = stepSuccesses;
            recentFailures = stepFailures;
            stepSuccesses = record.successes();
            stepFailures = record.failures();
        }
    }

    void nextInterval() {
        if (record != null) {
            intervalSuccesses = record.successes();
            intervalFailures = record.failures();
        }
    }

    /** It is used again: what was before it was left out says nothing any more. */
    void beginAnew() {
        if (record != null) {
            record.forgetRun();
            nextInterval();
            nextStep();
            nextStep();
        }
    }
}
