package dev.levee.core.testing;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The current thread's stay in a sleep or park. */
final class TimedWait {
    private final VirtualTimeDriver engine;
    private final ThreadState member;
    private final TimerQueue.Event event;

    // What the thread waits for already: tasks that it runs while it moves time may wait in turn.
    private final TimerQueue.@Nullable Event outerEvent;
    private final @Nullable Object outerBlocker;

    private boolean driving;

    /** What timers and tasks threw while this thread moved time. */
    private final List<Throwable> thrown = new ArrayList<>();

    /** A park if there is a blocker. */
    TimedWait(VirtualTimeDriver engine, long nanos, @Nullable Object blocker) {
        this.engine = engine;
        engine.lock.lock();
        try {
            if (engine.isInTaskOfAdvance()) {
                throw new IllegalStateException(
                        "a timer or task that advance() runs must not wait: nobody else moves time;"
                                + " give it a thread, environment().toBuilder().executor(time::start)");
            }
            member = engine.crew.current();
            outerEvent = member.waitsFor;
            outerBlocker = member.blocker;
            event = engine.agenda.add(engine.now(), nanos, null, member);
            engine.crew.waits(member, event, blocker);
            engine.signal();
        } finally {
            engine.lock.unlock();
        }
    }

    boolean timeHasCome() {
        return event.over;
    }

    boolean isOver() {
        return event.over || member.thread.isInterrupted();
    }

    /**
     * If this thread may and can, lets things happen up to the next event. Does not block if nothing happened, so that
     * no permit of an unpark is lost then.
     *
     * @return whether anything happened
     */
    boolean moveTime() {
        if (driving && engine.advancerWaits()) {
            endDriving(false);
        }
        if (!driving) {
            driving = engine.tryBeginDrive();
        }
        if (!driving) {
            return false;
        }
        boolean happened = engine.rest(false);
        if (isOver() || !isAware() || engine.step(0, false)) {
            return true;
        }
        if (!happened) {
            endDriving(false);
        }
        return happened;
    }

    private boolean isAware() {
        return engine.lock.get(() -> engine.crew.isAware(member));
    }

    private void endDriving(boolean othersMayGoOn) {
        driving = false;
        thrown.addAll(engine.endDrive(othersMayGoOn, false));
    }

    /** The thread goes on. */
    void end() {
        engine.lock.run(() -> {
            engine.agenda.remove(event);
            member.wakes = false;
            engine.crew.runs(member);
            if (outerEvent != null && !outerEvent.over) {
                member.waitFor(outerEvent, outerBlocker);
            }
            if (driving) {
                endDriving(true);
            } else {
                engine.signal();
            }
        });
    }

    void throwWhatTasksThrew() {
        VirtualTimeDriver.throwFirst(thrown);
    }
}
