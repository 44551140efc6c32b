package dev.levee.core.testing;

import org.jspecify.annotations.Nullable;

/** A thread that takes part in manual time. All but the thread is guarded by the lock of {@link VirtualTimeDriver}. */
final class ThreadState {
    /** No count of changes. */
    static final long STALE = -1;

    final Thread thread;

    /**
     * Started through {@code start}, and so taking part until it ends; others, the guests, take part while they wait.
     */
    final boolean started;

    /** Whether the task that it was started for has returned. */
    boolean ended;

    /** What it waits for; null while it runs. */
    TimerQueue.@Nullable Event waitsFor;

    /** What it parks on; null if it sleeps. */
    @Nullable Object blocker;

    /** Whether it was woken and has not noticed yet; until then it looks blocked. */
    boolean wakes;

    /** How many times it was seen to block elsewhere. */
    int seenBlocked;

    /** Whether it was seen so often enough, and has not been seen to run since. */
    boolean restsElsewhere;

    /** The count of changes when it last began to run. */
    long runsSince;

    /** The count of changes that it had seen when it found that it must park. */
    long checkedAt = STALE;

    private TimerQueue.@Nullable Event lastPark;
    private @Nullable Object lastBlocker;

    ThreadState(Thread thread, boolean started, long changes) {
        this.thread = thread;
        this.started = started;
        this.runsSince = changes;
    }

    boolean waits() {
        return waitsFor != null;
    }

    boolean parks() {
        return waitsFor != null && blocker != null;
    }

    /** Whether this is just the park from which it was woken to look at its condition: nothing came of it. */
    boolean parksAgain(TimerQueue.Event event, @Nullable Object on) {
        TimerQueue.Event last = lastPark;
        return last != null && on != null && lastBlocker == on && last.isAtTheTimeOf(event);
    }

    void waitFor(TimerQueue.Event event, @Nullable Object on) {
        waitsFor = event;
        blocker = on;
        lastPark = on == null ? null : event;
        lastBlocker = on;
    }

    void run(long changes) {
        waitsFor = null;
        blocker = null;
        restsElsewhere = false;
        runsSince = changes;
    }
}
