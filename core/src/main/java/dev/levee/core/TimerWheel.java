package dev.levee.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tasks in the order of their time: setting one and taking it back is O(1), whatever the number of tasks and the delay.
 *
 * <p>George Varghese and Tony Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 7: eight wheels of 64
 * slots, each wheel 64 times coarser than the one below. A task lies on the wheel of the highest digit, to the base of
 * 64, in which its tick differs from the one that has been reached; when time comes to its slot it moves to a finer
 * wheel, at most seven times. A bit for each slot that is not empty tells the next moment at which anything has to be
 * done, so that nobody needs to tick.
 *
 * <p>The links of the lists are numbers in arrays, which grow with the most tasks that ever waited at once: a task that is
 * set allocates nothing, and one that is taken back is forgotten there and then. Not thread-safe; ticks begin at zero.
 */
final class TimerWheel {
    /** A tick that never comes. */
    static final long NONE = Long.MAX_VALUE;

    /** What {@link #poll} gives when it has moved many tasks, so that it can be called again after a breath. */
    static final Runnable MORE = () -> {};

    private static final int BITS = 6;
    private static final int SLOTS = 1 << BITS;
    private static final int LEVELS = 8;
    /** Lists are circular: the links below this are those of the slots. */
    private static final int HEADS = LEVELS * SLOTS;

    private static final long LAST_TICK = (1L << (LEVELS * BITS)) - 1;
    private static final int FEW = 64;
    private static final int MAX_MOVES = 256;
    private static final int NO_LINK = -1;

    private final long[] occupied = new long[LEVELS];
    private int[] next = new int[HEADS];
    private int[] previous = new int[HEADS];
    private long[] due = {};
    private @Nullable Runnable[] tasks = {};
    private int free = NO_LINK;
    private int size;
    private long reached;

    TimerWheel() {
        for (int head = 0; head < HEADS; head++) {
            next[head] = head;
            previous[head] = head;
        }
        resize(FEW);
    }

    /** Adds a task for a tick; a tick that has been reached already means the next {@link #poll}. Returns its place, not 0. */
    int add(Runnable task, long now, long tick) {
        if (size == 0) {
            reached = Math.max(reached, now);
        }
        if (free == NO_LINK) {
            resize(2 * tasks.length);
        }
        int place = free;
        free = next[place];
        size++;
        tasks[place - HEADS] = task;
        due[place - HEADS] = tick;
        link(place);
        return place;
    }

    /** Takes a task out of its place; false if it is not there any more. */
    boolean remove(int place, Runnable task) {
        int index = place - HEADS;
        if (index < 0 || index >= tasks.length || tasks[index] != task) {
            return false;
        }
        unlink(place);
        release(place);
        return true;
    }

    /** Takes out a task whose tick is not after now; null if there is none, {@link #MORE} to be asked again. */
    @Nullable Runnable poll(long now) {
        for (int moves = 0; moves < MAX_MOVES; moves++) {
            int slot = earliestSlot();
            if (slot == NO_LINK || start(slot) > now) {
                reached = Math.max(reached, now);
                return null;
            }
            reached = Math.max(reached, start(slot));
            int place = next[slot];
            unlink(place);
            if (slot < SLOTS) {
                Runnable task = tasks[place - HEADS];
                release(place);
                return task;
            }
            link(place);
        }
        return MORE;
    }

    /** The tick of the next {@link #poll} that has anything to do; {@link #NONE} if there is no task. */
    long next() {
        int slot = earliestSlot();
        return slot == NO_LINK ? NONE : start(slot);
    }

    int size() {
        return size;
    }

    /** Gives back the memory of a crowd that has gone. */
    void trim() {
        if (size == 0 && tasks.length > FEW) {
            resize(0);
            resize(FEW);
        }
    }

    private void link(int place) {
        long tick = Math.min(Math.max(due[place - HEADS], reached), LAST_TICK);
        int level = (Long.SIZE - 1 - Long.numberOfLeadingZeros((reached ^ tick) | (SLOTS - 1))) / BITS;
        int digit = (int) (tick >>> (level * BITS)) & (SLOTS - 1);
        int slot = level * SLOTS + digit;
        int last = previous[slot];
        next[last] = place;
        previous[place] = last;
        next[place] = slot;
        previous[slot] = place;
        occupied[level] |= 1L << digit;
    }

    private void unlink(int place) {
        int before = previous[place];
        int after = next[place];
        next[before] = after;
        previous[after] = before;
        if (before == after) { // only a slot is its own neighbour's neighbour on both sides
            occupied[before >>> BITS] &= ~(1L << before);
        }
    }

    private void release(int place) {
        tasks[place - HEADS] = null;
        next[place] = free;
        free = place;
        size--;
    }

    /** Of two slots that begin at the same tick the coarser: what it holds may be due before what the finer one holds. */
    private int earliestSlot() {
        int earliest = NO_LINK;
        for (int level = 0; level < LEVELS; level++) {
            if (occupied[level] != 0) {
                int slot = level * SLOTS + Long.numberOfTrailingZeros(occupied[level]);
                if (earliest == NO_LINK || start(slot) <= start(earliest)) {
                    earliest = slot;
                }
            }
        }
        return earliest;
    }

    /** The first tick of a slot. Occupied slots are never behind what has been reached, so no wheel turns round. */
    private long start(int slot) {
        int level = slot >>> BITS;
        long turn = reached & -(1L << ((level + 1) * BITS));
        return turn | ((long) (slot & (SLOTS - 1)) << (level * BITS));
    }

    private void resize(int capacity) {
        int old = tasks.length;
        next = Arrays.copyOf(next, HEADS + capacity);
        previous = Arrays.copyOf(previous, HEADS + capacity);
        due = Arrays.copyOf(due, capacity);
        tasks = Arrays.copyOf(tasks, capacity);
        if (capacity == 0) {
            free = NO_LINK;
        }
        for (int place = HEADS + capacity - 1; place >= HEADS + old; place--) {
            next[place] = free;
            free = place;
        }
    }
}
