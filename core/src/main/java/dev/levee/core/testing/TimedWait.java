package dev.levee.core.testing;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One sleep or park of the current thread. */
final class TimedWait {
    private final VirtualTimeDriver driver;
    private final ThreadState state;
    private final TimerQueue.ScheduledEvent event;

    /** What the thread waits for already: tasks that it runs while it moves time may wait in turn. */
    private final TimerQueue.@Nullable ScheduledEvent outerEvent;

    private final @Nullable Object outerBlocker;

    /** Whether this thread moves time. */
    private boolean driving;

    /** What timers and tasks threw while this thread moved time. */
    private final List<Throwable> thrown = new ArrayList<>();

    /** Begins a park if there is a blocker, else a sleep. */
    TimedWait(VirtualTimeDriver driver, long nanos, @Nullable Object blocker) {
        this.driver = driver;
        driver.lock.lock();
        try {
            if (driver.isInTaskOfAdvance()) {
                throw new IllegalStateException(
                        "a timer or task that advance() runs must not wait: no other thread moves time;"
                                + " give it a thread, environment().toBuilder().executor(time::start)");
            }
            state = driver.threads.current();
            outerEvent = state.waitsFor;
            outerBlocker = state.blocker;
            event = driver.timerQueue.add(driver.now(), nanos, null, state);
            driver.threads.beginWait(state, event, blocker);
            driver.signal();
        } finally {
            driver.lock.unlock();
        }
    }

    boolean isDue() {
        return event.happened;
    }

    boolean isOver() {
        return event.happened || state.thread.isInterrupted();
    }

    /**
     * Moves time to the next event, if this thread may move time and nothing else can run. Does not block if nothing
     * happened, so that no permit of an unpark is lost then.
     *
     * @return whether anything happened
     */
    boolean moveTime() {
        if (driving && driver.isAdvanceWaiting()) {
            endDriving(false);
        }
        if (!driving) {
            driving = driver.tryBeginDrive();
        }
        if (!driving) {
            return false;
        }
        boolean happened = driver.runUntilIdle(false);
        if (isOver() || !hasChecked() || driver.step(0, false)) {
            return true;
        }
        if (!happened) {
            endDriving(false);
        }
        return happened;
    }

    private boolean hasChecked() {
        return driver.lock.get(() -> driver.threads.hasChecked(state));
    }

    private void endDriving(boolean signalOthers) {
        driving = false;
        thrown.addAll(driver.endDrive(signalOthers, false));
    }

    /** Ends the wait, and lets other threads move time. */
    void end() {
        driver.lock.run(() -> {
            driver.timerQueue.remove(event);
            state.wakePending = false;
            driver.threads.endWait(state);
            if (outerEvent != null && !outerEvent.happened) {
                state.waitFor(outerEvent, outerBlocker);
            }
            if (driving) {
                endDriving(true);
            } else {
                driver.signal();
            }
        });
    }

    void throwTaskFailures() {
        VirtualTimeDriver.throwFirst(thrown);
    }
}
