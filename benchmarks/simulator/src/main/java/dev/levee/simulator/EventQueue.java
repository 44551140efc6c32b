package dev.levee.simulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The events that wait, in the order of their times, those of one time in the order in which they were added.
 *
 * <p>A heap in which every node has four children (Donald B. Johnson, Priority queues with update and finding minimum
 * spanning trees, 1975): half as deep as a binary one, and the keys of four children share a cache line or two. Keys
 * are numbers in one array, so that comparing touches no object. An event knows its place, so it can be moved or taken
 * out in O(log n).
 */
final class EventQueue {
    private static final int CHILDREN = 4;

    /** Time and serial number of each. */
    private long[] keys = new long[2 * 64];

    private @Nullable Event[] events = new Event[64];
    private int size;
    private long serial;

    int size() {
        return size;
    }

    /** When the first event happens; Long.MAX_VALUE if there is none. */
    long firstTime() {
        return size == 0 ? Long.MAX_VALUE : keys[0];
    }

    /** Adds an event, or moves it if it is there already. */
    void put(Event event, long time) {
        int place = event.place;
        if (place < 0) {
            if (size == events.length) {
                keys = Arrays.copyOf(keys, 4 * size);
                events = Arrays.copyOf(events, 2 * size);
            }
            up(size++, event, time, serial++);
        } else if (time < keys[2 * place]) {
            up(place, event, time, serial++);
        } else {
            down(place, event, time, serial++);
        }
    }

    /** Takes an event out, if it is there. */
    void remove(Event event) {
        int place = event.place;
        if (place < 0) {
            return;
        }
        event.place = -1;
        int last = --size;
        Event moved = events[last];
        events[last] = null;
        if (place != last && moved != null) {
            refill(place, moved, keys[2 * last], keys[2 * last + 1]);
        }
    }

    /** Takes the first event out. */
    Event takeFirst() {
        Event first = events[0];
        if (first == null) {
            throw new IllegalStateException("no event waits");
        }
        remove(first);
        return first;
    }

    private void refill(int place, Event event, long time, long number) {
        int parent = (place - 1) / CHILDREN;
        if (place > 0 && before(time, number, parent)) {
            up(place, event, time, number);
        } else {
            down(place, event, time, number);
        }
    }

    private boolean before(long time, long number, int other) {
        long otherTime = keys[2 * other];
        return time < otherTime || (time == otherTime && number < keys[2 * other + 1]);
    }

    private void up(int from, Event event, long time, long number) {
        int place = from;
        while (place > 0) {
            int parent = (place - 1) / CHILDREN;
            if (!before(time, number, parent)) {
                break;
            }
            shift(parent, place);
            place = parent;
        }
        set(place, event, time, number);
    }

    private void down(int from, Event event, long time, long number) {
        int place = from;
        while (true) {
            int first = place * CHILDREN + 1;
            if (first >= size) {
                break;
            }
            int least = first;
            int end = Math.min(first + CHILDREN, size);
            for (int child = first + 1; child < end; child++) {
                if (before(keys[2 * child], keys[2 * child + 1], least)) {
                    least = child;
                }
            }
            if (before(time, number, least)) {
                break;
            }
            shift(least, place);
            place = least;
        }
        set(place, event, time, number);
    }

    private void shift(int from, int to) {
        Event event = events[from];
        events[to] = event;
        if (event != null) {
            event.place = to;
        }
        keys[2 * to] = keys[2 * from];
        keys[2 * to + 1] = keys[2 * from + 1];
    }

    private void set(int place, Event event, long time, long number) {
        events[place] = event;
        event.place = place;
        keys[2 * place] = time;
        keys[2 * place + 1] = number;
    }
}
