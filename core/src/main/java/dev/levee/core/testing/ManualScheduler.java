package dev.levee.core.testing;

import dev.levee.core.Scheduler;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import java.util.concurrent.locks.LockSupport;

/** Waits in manual time. */
final class ManualScheduler implements Scheduler, Timers {
    private final VirtualTimeDriver engine;

    ManualScheduler(VirtualTimeDriver engine) {
        this.engine = engine;
    }

    @Override
    public Object clock() {
        return engine.clock;
    }

    @Override
    public long set(Runnable task, long nowNanos, long delayNanos) {
        return engine.set(task, nowNanos, delayNanos);
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        return engine.take(ticket, task);
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        TimerQueue.Event event = engine.schedule(task, delayNanos);
        return () -> engine.cancel(event);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        if (nanos <= 0) {
            return;
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        TimedWait stay = new TimedWait(engine, nanos, null);
        try {
            while (!stay.isOver()) {
                if (!stay.moveTime()) {
                    LockSupport.park(this);
                }
            }
        } finally {
            stay.end();
        }
        stay.throwWhatTasksThrew();
        // Not before the end of the stay: until then the flag tells the driver that this thread is about to go on.
        if (!stay.timeHasCome() && Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    @Override
    public void park(Object blocker, long nanos) {
        Require.nonNull("blocker", blocker);
        if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
            return;
        }
        TimedWait stay = new TimedWait(engine, nanos, blocker);
        try {
            if (!stay.moveTime()) {
                LockSupport.park(blocker);
            }
        } finally {
            stay.end();
        }
        stay.throwWhatTasksThrew();
    }

    @Override
    public String toString() {
        return "manual scheduler";
    }
}
