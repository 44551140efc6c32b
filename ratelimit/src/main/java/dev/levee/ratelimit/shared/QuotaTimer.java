package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;

/** The timer of one quota: the earliest that was wanted. All under the lock of the quota. */
final class QuotaTimer {
    private final Environment environment;
    private final Runnable task;
    private boolean isSet;
    private long dueNanos;

    /**
     * Makes a timer that is not set.
     *
     * @param environment has the timers
     * @param task what is done, on the executor: it may ask the store
     */
    QuotaTimer(Environment environment, Runnable task) {
        this.environment = environment;
        this.task = task;
    }

    /** Sets it, unless it is set for an earlier time. Throws nothing: calls that wait have an end of their own. */
    void want(long nanos) {
        long due = environment.clock().nanoTime() + nanos;
        if (isSet && due - dueNanos >= 0) {
            return;
        }
        dueNanos = due;
        isSet = false;
        try {
            environment.schedule(() -> environment.handOver(task), nanos);
            isSet = true;
        } catch (Throwable noTimer) {
            // The environment was closed, or there is no memory: the next call sets it.
        }
    }

    /** It has run. */
    void ran() {
        isSet = false;
    }
}
