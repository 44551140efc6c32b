package dev.levee.core.internal.parts;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.HandedTask;

/**
 * Sets timers whose handle never throws, whatever the scheduler of a user does when a timer is cancelled. Unlike
 * {@link Environment#schedule} it passes on what the scheduler throws when the timer is set.
 */
public final class ShieldedTimer {
    private ShieldedTimer() {}

    /**
     * Runs a task after a delay.
     *
     * @param environment whose scheduler it is
     * @param task short and never blocking
     * @param delayNanos the delay in nanoseconds
     * @return the handle that cancels it: after a cancel that fails the task does nothing
     */
    public static Scheduler.Timer set(Environment environment, Runnable task, long delayNanos) {
        HandedTask once = new HandedTask(task);
        Scheduler.Timer timer = environment.scheduler().schedule(once, delayNanos);
        return () -> once.takeBack(timer::cancel);
    }
}
