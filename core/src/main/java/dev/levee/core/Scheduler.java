package dev.levee.core;

/**
 * The only place where anything waits: delays, timers and parked threads.
 *
 * <p>Use {@link Environment#system()} in production and {@code ManualTime} in tests; write one of your own to put
 * timers on the wheel of your server framework. Implementations are thread-safe. See ADR 12.
 *
 * @since 0.1
 */
public interface Scheduler {
    /**
     * Runs a task after a delay. Does not block.
     *
     * @param task short and never blocking; what it throws is logged
     * @param delayNanos the delay in nanoseconds; zero or less means as soon as possible
     * @return the handle that cancels it
     */
    Timer schedule(Runnable task, long delayNanos);

    /**
     * Blocks the current thread for a time.
     *
     * @param nanos how long, in nanoseconds; zero or less returns at once
     * @throws InterruptedException if the thread is interrupted before or while it sleeps
     */
    void sleep(long nanos) throws InterruptedException;

    /**
     * Blocks the current thread until {@link java.util.concurrent.locks.LockSupport#unpark} is called for it, it is
     * interrupted, or a time has passed; like {@code LockSupport.parkNanos} it may return spuriously.
     *
     * @param blocker what the thread waits for, shown in thread dumps
     * @param nanos how long at most, in nanoseconds; zero or less returns at once
     */
    void park(Object blocker, long nanos);

    /**
     * The handle of a scheduled task.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Timer {
        /**
         * Cancels the task. Does not block and does not interrupt a task that is running.
         *
         * @return whether the task will never run because of this call
         */
        boolean cancel();
    }
}
