package dev.levee.core.testing;

import org.jspecify.annotations.Nullable;

/** A thread that takes part in manual time. All but the thread is guarded by the lock of {@link ManualTime}. */
final class Member {
    static final long STALE = -1;

    final Thread thread;

    /** Started through {@code start}, and so taking part until it ends; others take part while they wait. */
    final boolean started;

    /** What the thread waits for; null while it runs. */
    Agenda.@Nullable Event waitsFor;

    /** What it parks on; null if it sleeps. */
    @Nullable Object blocker;

    /** The count of changes when it last began to run. */
    long runsSince;

    /** The count of changes that its condition is known to take into account; it parked because the condition was false. */
    long checkedAt = STALE;

    private @Nullable Object lastBlocker;
    private Agenda.@Nullable Event lastPark;

    /** Whether {@code start}'s task has returned. */
    boolean ended;

    /** Whether it was woken and has not noticed yet; until then it looks blocked. */
    boolean wakes;

    /** How many times it was seen to block elsewhere. */
    int seenBlocked;

    Member(Thread thread, boolean started, long changes) {
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

    /** Whether it parks just as it did before it was woken to look at its condition: nothing came of it. */
    boolean parksAgain(Agenda.Event event, Object on) {
        Agenda.Event last = lastPark;
        return last != null && lastBlocker == on && last.never == event.never && last.due == event.due;
    }

    void waitFor(Agenda.Event event, @Nullable Object on) {
        waitsFor = event;
        blocker = on;
        lastPark = on == null ? null : event;
        lastBlocker = on;
    }

    void run(long changes) {
        waitsFor = null;
        blocker = null;
        runsSince = changes;
    }
}
