package dev.levee.core.testing;

import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What is to happen, in the order of its time, then of its scheduling. Guarded by the lock of {@link VirtualTimeDriver}. */
final class TimerQueue {
    private final TreeSet<Event> events = new TreeSet<>(TimerQueue::compare);
    /** Events with a ticket, which is their place here and 1; they are used again, so that a timer with a ticket makes none. */
    private final List<Event> ticketed = new ArrayList<>();

    private @Nullable Event unused;
    private long scheduled;
    private int timers;

    /** All times lie less than {@link Nanos#NEVER} ahead of the clock, so that their differences cannot overflow. */
    private static int compare(Event a, Event b) {
        if (a.never != b.never) {
            return a.never ? 1 : -1;
        }
        int byTime = a.never ? 0 : Long.signum(a.due - b.due);
        return byTime != 0 ? byTime : Long.compare(a.number, b.number);
    }

    Event add(long now, long delayNanos, @Nullable Runnable task, @Nullable ThreadState sleeper) {
        return add(new Event(0, sleeper), now, delayNanos, task);
    }

    /** Adds a task, and returns a ticket for it. */
    long addTicketed(long now, long delayNanos, Runnable task) {
        Event event = unused;
        if (event == null) {
            event = new Event(ticketed.size() + 1, null);
            ticketed.add(event);
        } else {
            unused = event.nextUnused;
        }
        return add(event, now, delayNanos, task).ticket;
    }

    private Event add(Event event, long now, long delayNanos, @Nullable Runnable task) {
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

    /** Takes a task out that was added with a ticket; whether it was there. */
    boolean removeTicketed(long ticket, Runnable task) {
        Event event = ticket == 0 ? null : ticketed.get((int) ticket - 1);
        return event != null && event.task == task && remove(event);
    }

    /** Takes an event out; whether it was there. One with a ticket has no task from now on. */
    boolean remove(Event event) {
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

    /** What happens next, or null if nothing ever will. */
    @Nullable Event next() {
        Event first = events.isEmpty() ? null : events.first();
        return first == null || first.never ? null : first;
    }

    int timers() {
        return timers;
    }

    /** A task to run, or a thread to wake. */
    static final class Event {
        private final long ticket;
        final @Nullable ThreadState sleeper;
        private boolean never;
        private long due;
        private long number;
        private @Nullable Runnable task;
        private @Nullable Event nextUnused;

        /** Set when the event has happened. */
        volatile boolean over;

        private Event(long ticket, @Nullable ThreadState sleeper) {
            this.ticket = ticket;
            this.sleeper = sleeper;
        }

        long due() {
            return due;
        }

        boolean isAtTheTimeOf(Event other) {
            return never == other.never && due == other.due;
        }

        @Nullable Runnable task() {
            return task;
        }
    }
}
