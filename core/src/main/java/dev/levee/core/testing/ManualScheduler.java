package dev.levee.core.testing;

import dev.levee.core.Scheduler;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import java.util.concurrent.locks.LockSupport;

/** The scheduler of manual time. */
final class ManualScheduler implements Scheduler, Timers {
    private final VirtualTimeDriver driver;

    ManualScheduler(VirtualTimeDriver driver) {
        this.driver = driver;
    }

    @Override
    public Object clock() {
        return driver.clock;
    }

    @Override
    public long set(Runnable task, long nowNanos, long delayNanos) {
        return driver.set(task, nowNanos, delayNanos);
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        return driver.take(ticket, task);
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        TimerQueue.ScheduledEvent event = driver.schedule(task, delayNanos);
        return () -> driver.cancel(event);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        if (nanos <= 0) {
            return;
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        TimedWait wait = new TimedWait(driver, nanos, null);
        try {
            while (!wait.isOver()) {
                if (!wait.moveTime()) {
                    LockSupport.park(this);
                }
            }
        } finally {
            wait.end();
        }
        wait.throwTaskFailures();
        // Not before the end of the wait: until then the flag tells the driver that this thread is about to run on.
        if (!wait.isDue() && Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    @Override
    public void park(Object blocker, long nanos) {
        Require.nonNull("blocker", blocker);
        if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
            return;
        }
        TimedWait wait = new TimedWait(driver, nanos, blocker);
        try {
            if (!wait.moveTime()) {
                LockSupport.park(blocker);
            }
        } finally {
            wait.end();
        }
        wait.throwTaskFailures();
    }

    @Override
    public String toString() {
        return "manual scheduler";
    }
}
