package dev.levee.core.testing;

import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The events that are to happen, in the order of their time, then of their scheduling. Guarded by the lock of
 * {@link VirtualTimeDriver}.
 */
final class TimerQueue {
    private final TreeSet<ScheduledEvent> events = new TreeSet<>(TimerQueue::compare);

    /**
     * Events with a ticket, which is their index here plus 1. They are used again, so that setting a timer makes none.
     */
    private final List<ScheduledEvent> ticketed = new ArrayList<>();

    /** The first event with a ticket that is not in use; the others follow by {@code nextUnused}. */
    private @Nullable ScheduledEvent unused;

    private long scheduled;
    private int timers;

    /** All times lie less than {@link Nanos#NEVER} ahead of the clock, so their differences cannot overflow. */
    private static int compare(ScheduledEvent a, ScheduledEvent b) {
        if (a.never != b.never) {
            return a.never ? 1 : -1;
        }
        int byTime = a.never ? 0 : Long.signum(a.due - b.due);
        return byTime != 0 ? byTime : Long.compare(a.number, b.number);
    }

    ScheduledEvent add(long now, long delayNanos, @Nullable Runnable task, @Nullable ThreadState waiter) {
        return add(new ScheduledEvent(0, waiter), now, delayNanos, task);
    }

    /** Adds a task, and returns a ticket for it. */
    long addTicketed(long now, long delayNanos, Runnable task) {
        ScheduledEvent event = unused;
        if (event == null) {
            event = new ScheduledEvent(ticketed.size() + 1, null);
            ticketed.add(event);
        } else {
            unused = event.nextUnused;
        }
        return add(event, now, delayNanos, task).ticket;
    }

    private ScheduledEvent add(ScheduledEvent event, long now, long delayNanos, @Nullable Runnable task) {
        event.never = delayNanos >= Nanos.NEVER;
        event.due = event.never ? 0 : now + Math.max(delayNanos, 0);
        event.number = scheduled++;
        event.task = task;
        events.add(event);
        if (task != null) {
            timers++;
        }
        return event;
    }

    /** Removes a task that was added with a ticket; returns whether it was there. */
    boolean removeTicketed(long ticket, Runnable task) {
        ScheduledEvent event = ticket == 0 ? null : ticketed.get((int) ticket - 1);
        return event != null && event.task == task && remove(event);
    }

    /** Removes an event; returns whether it was there. An event with a ticket loses its task, and is used again. */
    boolean remove(ScheduledEvent event) {
        boolean removed = events.remove(event);
        if (removed && event.task != null) {
            timers--;
        }
        if (removed && event.ticket != 0) {
            event.task = null;
            event.nextUnused = unused;
            unused = event;
        }
        return removed;
    }

    /** Returns the next event, or null if nothing will ever happen. */
    @Nullable ScheduledEvent next() {
        ScheduledEvent first = events.isEmpty() ? null : events.first();
        return first == null || first.never ? null : first;
    }

    /** Returns how many events are tasks. */
    int timers() {
        return timers;
    }

    /** An event: a task to run, or a thread to wake. */
    static final class ScheduledEvent {
        private final long ticket;
        final @Nullable ThreadState waiter;
        private boolean never;
        private long due;
        private long number;
        private @Nullable Runnable task;
        private @Nullable ScheduledEvent nextUnused;

        /** Set when the event has happened. */
        volatile boolean happened;

        private ScheduledEvent(long ticket, @Nullable ThreadState waiter) {
            this.ticket = ticket;
            this.waiter = waiter;
        }

        long due() {
            return due;
        }

        boolean isDueWith(ScheduledEvent other) {
            return never == other.never && due == other.due;
        }

        @Nullable Runnable task() {
            return task;
        }
    }
}
