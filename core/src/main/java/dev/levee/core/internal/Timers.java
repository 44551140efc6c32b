package dev.levee.core.internal;

/**
 * Timers that are numbers and not objects: the second form that the schedulers of this library offer. A timer is set
 * and cancelled by a ticket, so that a call which ends in time allocates its task and nothing else. See ADR 25.
 */
public interface Timers {
    /**
     * Returns the clock whose readings {@link #set} takes.
     *
     * @return a {@code dev.levee.core.NanoClock}, to be compared by identity
     */
    Object clock();

    /**
     * Runs a task after a delay. Does not block.
     *
     * @param task an object that is set here at most once at a time; short and never blocking
     * @param nowNanos a reading of {@link #clock()}, from which the delay counts
     * @param delayNanos the delay in nanoseconds; if it is over already, the task runs as soon as possible
     * @return a ticket for {@link #take}
     */
    long set(Runnable task, long nowNanos, long delayNanos);

    /**
     * Cancels a timer. Does not block and does not interrupt a task that is running.
     *
     * @param ticket the ticket that {@link #set} returned for this task, or zero
     * @param task the task
     * @return whether the task will never run because of this call
     */
    boolean take(long ticket, Runnable task);
}
