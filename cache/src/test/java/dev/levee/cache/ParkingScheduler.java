package dev.levee.cache;

import dev.levee.core.Scheduler;
import java.util.concurrent.locks.LockSupport;

/** Parks without a limit of time, which a model checker understands, and has no timers. */
final class ParkingScheduler implements Scheduler {
    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void sleep(long nanos) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void park(Object blocker, long nanos) {
        LockSupport.park(blocker);
    }
}
