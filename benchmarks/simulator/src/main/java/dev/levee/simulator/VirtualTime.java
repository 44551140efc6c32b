package dev.levee.simulator;

import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;

/**
 * Time that jumps from one event to the next. It is the clock and the scheduler of everything under test.
 *
 * <p>The clock that the library reads starts five seconds before it wraps, so that every run crosses that edge.
 */
public final class VirtualTime implements NanoClock, Scheduler {
    /** Nanoseconds of a second. */
    public static final long SECOND = 1_000_000_000L;

    /** Nanoseconds of a millisecond. */
    public static final long MILLI = 1_000_000L;

    private static final long ORIGIN = Long.MAX_VALUE - 5 * SECOND;

    private final EventQueue queue = new EventQueue();
    private long now;
    private long happened;

    /** Nanoseconds since the start of the simulation. */
    public long now() {
        return now;
    }

    /** How many events have happened. */
    public long happened() {
        return happened;
    }

    /** Lets an event happen at a time, or right now if that has passed. Moves the event if it waits already. */
    public void at(long time, Event event) {
        queue.put(event, Math.max(time, now));
    }

    /** Lets an event happen after a delay. Moves the event if it waits already. */
    public void after(long delay, Event event) {
        long time = now + Math.max(delay, 0);
        queue.put(event, time < 0 ? Long.MAX_VALUE : time);
    }

    /** Runs code every so often, for the first time after that long. */
    public void every(long period, Runnable code) {
        Event tick = new Event() {
            @Override
            protected void happen() {
                after(period, this);
                code.run();
            }
        };
        after(period, tick);
    }

    /** Takes an event back, if it waits. */
    public void cancel(Event event) {
        queue.remove(event);
    }

    /** Lets the next event happen, if there is one before the end. */
    public boolean step(long end) {
        long first = queue.firstTime();
        if (first >= end) {
            return false;
        }
        now = first;
        happened++;
        queue.takeFirst().happen();
        return true;
    }

    /** Lets all events before the end happen, and moves the time to it. */
    public void runUntil(long end) {
        while (step(end)) {
            // the work is done by the events
        }
        now = Math.max(now, end);
    }

    @Override
    public long nanoTime() {
        return ORIGIN + now;
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        Event event = Event.of(task);
        after(delayNanos, event);
        return () -> {
            boolean pending = event.isPending();
            queue.remove(event);
            return pending;
        };
    }

    @Override
    public void sleep(long nanos) {
        throw new IllegalStateException("nothing may sleep in a simulation of one thread");
    }

    @Override
    public void park(Object blocker, long nanos) {
        throw new IllegalStateException("nothing may wait in a simulation of one thread, but this does: " + blocker);
    }
}
