package dev.levee.core.testing;

import dev.levee.core.Scheduler;

/** Sets timers, sleeps and parks as another scheduler does. A test overrides what it wants to be different. */
public class ForwardingScheduler implements Scheduler {
    private final Scheduler inner;

    /** A scheduler that does what another one does. */
    public ForwardingScheduler(Scheduler inner) {
        this.inner = inner;
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        return inner.schedule(task, delayNanos);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        inner.sleep(nanos);
    }

    @Override
    public void park(Object blocker, long nanos) {
        inner.park(blocker, nanos);
    }
}
