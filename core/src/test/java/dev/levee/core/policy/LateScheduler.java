package dev.levee.core.policy;

import dev.levee.core.Scheduler;
import dev.levee.core.testing.ManualTime;

/**
 * Timers that are a millisecond late, as those of the machine are; and that say whether one of them runs now, because
 * no code of users may run then.
 */
final class LateScheduler implements Scheduler {
    private static final long LATE_NANOS = 1_000_000;

    private final Scheduler inTime;
    private final ThreadLocal<Boolean> running = ThreadLocal.withInitial(() -> false);

    LateScheduler(ManualTime time) {
        inTime = time.environment().scheduler();
    }

    /** Whether the current thread runs a timer. */
    boolean isTimer() {
        return running.get();
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        return inTime.schedule(
                () -> {
                    running.set(true);
                    try {
                        task.run();
                    } finally {
                        running.set(false);
                    }
                },
                delayNanos + LATE_NANOS);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        inTime.sleep(nanos);
    }

    @Override
    public void park(Object blocker, long nanos) {
        inTime.park(blocker, nanos);
    }
}
