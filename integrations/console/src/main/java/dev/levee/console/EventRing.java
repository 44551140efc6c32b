package dev.levee.console;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** The last events, oldest first. Thread-safe; an event costs a lock that is held for moments. */
final class EventRing {
    /** How many events are kept. */
    static final int MAX_EVENTS = 200;

    /** How much of an event matters. */
    enum Level {
        /** It has become normal again, or is nothing to worry about. */
        INFO,
        /** Something refuses, fails or is being rehearsed. */
        WARN,
        /** A button was pressed. */
        ACTION
    }

    /** One event. */
    record RingEntry(long number, long atMillis, Level level, String kind, String name, String text) {}

    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<RingEntry> entries = new ArrayDeque<>(MAX_EVENTS);
    private long last;

    EventRing(InstantSource clock) {
        this.clock = clock;
    }

    void add(Level level, String kind, String name, String text) {
        long now = clock.millis();
        lock.lock();
        try {
            if (entries.size() == MAX_EVENTS) {
                entries.removeFirst();
            }
            entries.addLast(new RingEntry(++last, now, level, kind, name, text));
        } finally {
            lock.unlock();
        }
    }

    /** Returns the number of the last event, 0 if there was none. */
    long last() {
        lock.lock();
        try {
            return last;
        } finally {
            lock.unlock();
        }
    }

    /** Returns those that came after the one of that number. */
    List<RingEntry> after(long number) {
        lock.lock();
        try {
            List<RingEntry> newer = new ArrayList<>(entries);
            newer.removeIf(entry -> entry.number() <= number);
            return newer;
        } finally {
            lock.unlock();
        }
    }
}
