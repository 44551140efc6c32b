package dev.levee.core.testing;

import org.jspecify.annotations.Nullable;

/**
 * What is known of a thread that takes part in manual time. All but the thread is guarded by the lock of
 * {@link VirtualTimeDriver}.
 */
final class ThreadState {
    /** A value of {@link #checkedAt} that is older than every count of changes. */
    static final long STALE = -1;

    final Thread thread;

    /** Whether it was started by {@code ManualTime} and takes part until it ends; others take part while they wait. */
    final boolean started;

    /** Whether the task that it was started for has returned. */
    boolean ended;

    /** What it waits for; null while it runs. */
    TimerQueue.@Nullable ScheduledEvent waitsFor;

    /** What it parks on; null if it sleeps. */
    @Nullable Object blocker;

    /** Whether it was woken and has not run yet; until then the JVM reports it as blocked. */
    boolean wakePending;

    /** How many polls in a row have found it blocked elsewhere. */
    int blockedPolls;

    /** Whether it is taken to stay blocked elsewhere, and no poll has found it running since. */
    boolean blockedElsewhere;

    /** The count of changes when it last began to run. */
    long runningSince;

    /** The count of changes at its last check of its condition, after which it parked. */
    long checkedAt = STALE;

    private TimerQueue.@Nullable ScheduledEvent lastPark;
    private @Nullable Object lastBlocker;

    ThreadState(Thread thread, boolean started, long changes) {
        this.thread = thread;
        this.started = started;
        this.runningSince = changes;
    }

    boolean waits() {
        return waitsFor != null;
    }

    boolean parks() {
        return waitsFor != null && blocker != null;
    }

    /** Whether it parks as it did before it was woken to check its condition: the check had no consequence. */
    boolean parksAgain(TimerQueue.ScheduledEvent event, @Nullable Object on) {
        TimerQueue.ScheduledEvent last = lastPark;
        return last != null && on != null && lastBlocker == on && last.isDueWith(event);
    }

    void waitFor(TimerQueue.ScheduledEvent event, @Nullable Object on) {
        waitsFor = event;
        blocker = on;
        lastPark = on == null ? null : event;
        lastBlocker = on;
    }

    void run(long changes) {
        waitsFor = null;
        blocker = null;
        blockedElsewhere = false;
        runningSince = changes;
    }
}
