package dev.levee.core.internal;

/**
 * What the schedulers of this library can do besides: timers that are no objects. A timer is set and taken back with a
 * number, so that a call which ends in time costs its task and nothing else.
 */
public interface Timers {
    /**
     * The clock whose readings {@link #set} takes.
     *
     * @return the clock, to be compared by identity
     */
    Object clock();

    /**
     * Runs a task after a delay. Does not block.
     *
     * @param task an object that waits here at most once at a time; short and never blocking
     * @param nowNanos a reading of {@link #clock()}, from which the delay counts
     * @param delayNanos the delay in nanoseconds; if it is over already, the task runs as soon as possible
     * @return a ticket for {@link #take}
     */
    long set(Runnable task, long nowNanos, long delayNanos);

    /**
     * Takes a task back. Does not block and does not interrupt a task that is running.
     *
     * @param ticket what {@link #set} returned for this task, or zero
     * @param task the task
     * @return whether the task will never run because of this call
     */
    boolean take(long ticket, Runnable task);
}
