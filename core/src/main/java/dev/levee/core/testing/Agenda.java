package dev.levee.core.testing;

import dev.levee.core.internal.Nanos;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What is to happen, in the order of its time, then of its scheduling. Guarded by the lock of {@link Engine}. */
final class Agenda {
    private final TreeSet<Event> events = new TreeSet<>(Agenda::compare);
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

    Event add(long now, long delayNanos, @Nullable Runnable task, @Nullable Member sleeper) {
        Event event = new Event(now, delayNanos, scheduled++, task, sleeper);
        events.add(event);
        if (task != null) {
            timers++;
        }
        return event;
    }

    /** Takes an event out; whether it was there. */
    boolean remove(Event event) {
        boolean removed = events.remove(event);
        if (removed && event.task != null) {
            timers--;
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
        final long due;
        final boolean never;
        final @Nullable Runnable task;
        final @Nullable Member sleeper;
        private final long number;

        /** Set when the event has happened. */
        volatile boolean over;

        private Event(long now, long delayNanos, long number, @Nullable Runnable task, @Nullable Member sleeper) {
            this.never = delayNanos >= Nanos.NEVER;
            this.due = never ? 0 : now + Math.max(delayNanos, 0);
            this.number = number;
            this.task = task;
            this.sleeper = sleeper;
        }
    }
}
