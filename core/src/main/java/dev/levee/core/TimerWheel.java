package dev.levee.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A queue of tasks by time, in hierarchical timing wheels: adding and removing a task is O(1), whatever the number of
 * tasks and the delay.
 *
 * <p>The algorithm is scheme 7 of George Varghese and Tony Lauck, "Hashed and Hierarchical Timing Wheels: Data
 * Structures for the Efficient Implementation of a Timer Facility" (SOSP 1987): eight wheels of 64 slots, each wheel 64
 * times coarser than the one below. A bit for each slot that is not empty gives the next tick at which there is
 * something to do, so that no thread has to tick.
 *
 * <pre>
 *   a tick, to the base of 64       digit 7 | digit 6 | ... | digit 1 | digit 0
 *
 *   level 7    [0][1] ... [63]      a slot is 64^7 ticks
 *     ...
 *   level 1    [0][1] ... [63]      a slot is 64 ticks
 *   level 0    [0][1] ... [63]      a slot is 1 tick        |  poll moves tasks down when
 *                                                           v  `reached` comes to their slot, at most 7 times
 *
 *   A task lies on level L, in the slot of its digit L: the highest digit in which its tick differs from `reached`.
 *
 *   place     0 .. 511: heads of the slots (64 * level + digit)       512 .. : tasks
 *   a slot    head &lt;--> task &lt;--> task &lt;--> head     a circular list, by `next` and `previous`
 *   unused    free --> place --> place --> -1          by `next` alone
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A bit of {@code occupied} is set exactly if the list of its slot is not empty.
 *   <li>{@code reached} never goes back, and no occupied slot begins before it. So no wheel wraps round, and the first
 *       set bit of a level is its earliest slot.
 *   <li>The place of a task does not change until it is removed or polled; then it is used for another task. So a place
 *       means a task only together with the task itself.
 * </ul>
 *
 * <p>Links and ticks lie in arrays, which grow with the largest number of tasks at one time: adding a task allocates
 * nothing, and a removed one is forgotten at once. Not thread-safe; ticks begin at zero. See ADR 25.
 *
 * <p>{@link #add} and {@link #remove} run on threads of users, whose stack may end at every method that is called. So
 * what they compute they compute first, and the statements that change the wheel call nothing: a
 * {@link StackOverflowError} leaves it as it was. See ADR 72.
 *
 * @see <a href="https://doi.org/10.1145/41457.37504">Varghese and Lauck 1987</a>
 */
final class TimerWheel {
    /** A tick that never comes. */
    static final long NONE = Long.MAX_VALUE;

    /**
     * The result of {@link #poll} when it has moved many tasks, so that the caller can release its lock and poll again.
     */
    static final Runnable MORE = () -> {};

    private static final int BITS = 6;
    private static final int SLOTS = 1 << BITS;
    private static final int LEVELS = 8;

    /** The number of slots, and the first place of a task: the places below are the heads of the slots' lists. */
    private static final int HEADS = LEVELS * SLOTS;

    private static final long LAST_TICK = (1L << (LEVELS * BITS)) - 1;

    /** How many tasks the arrays can hold at least. */
    private static final int MIN_CAPACITY = 64;

    /** How many tasks one poll moves at most. */
    private static final int MAX_MOVES = 256;

    private static final int NO_LINK = -1;

    /** For each level a bit for each slot that is not empty. */
    private final long[] occupied = new long[LEVELS];

    private int[] next = new int[HEADS];
    private int[] previous = new int[HEADS];
    private long[] due = {};
    private @Nullable Runnable[] tasks = {};

    /** The first unused place. */
    private int free = NO_LINK;

    private int size;

    /** The latest tick that a poll has come to. */
    private long reached;

    TimerWheel() {
        for (int head = 0; head < HEADS; head++) {
            next[head] = head;
            previous[head] = head;
        }
        resize(MIN_CAPACITY);
    }

    /**
     * Adds a task for a tick and returns its place, which is never 0. A tick that has passed means the next
     * {@link #poll}.
     */
    int add(Runnable task, long now, long tick) {
        if (free == NO_LINK) {
            resize(2 * tasks.length);
        }
        long from = size == 0 ? Math.max(reached, now) : reached;
        return insert(task, tick, from, slotFor(tick, from));
    }

    /** Calls nothing: see the class. */
    private int insert(Runnable task, long tick, long from, int slot) {
        int place = free;
        reached = from;
        free = next[place];
        size++;
        tasks[place - HEADS] = task;
        due[place - HEADS] = tick;
        int last = previous[slot];
        next[last] = place;
        previous[place] = last;
        next[place] = slot;
        previous[slot] = place;
        occupied[slot >>> BITS] |= 1L << slot;
        return place;
    }

    /** Removes a task from its place; returns false if it is not there any more. */
    boolean remove(int place, Runnable task) {
        int index = place - HEADS;
        if (index < 0 || index >= tasks.length || tasks[index] != task) {
            return false;
        }
        release(place);
        return true;
    }

    /**
     * Removes and returns a task whose tick is not after now; null if there is none, {@link #MORE} to be polled again.
     */
    @Nullable Runnable poll(long now) {
        for (int moves = 0; moves < MAX_MOVES; moves++) {
            int slot = earliestSlot();
            if (slot == NO_LINK || start(slot) > now) {
                reached = Math.max(reached, now);
                return null;
            }
            reached = Math.max(reached, start(slot));
            int place = next[slot];
            if (slot < SLOTS) {
                Runnable task = tasks[place - HEADS];
                release(place);
                return task;
            }
            move(place, slotFor(due[place - HEADS], reached));
        }
        return MORE;
    }

    /** Returns the tick of the next {@link #poll} that has something to do; {@link #NONE} if there is no task. */
    long next() {
        int slot = earliestSlot();
        return slot == NO_LINK ? NONE : start(slot);
    }

    int size() {
        return size;
    }

    /** Shrinks the arrays if there is no task left. */
    void trim() {
        if (size == 0 && tasks.length > MIN_CAPACITY) {
            resize(0);
            resize(MIN_CAPACITY);
        }
    }

    /** Returns the slot of a tick, as seen from another one. */
    private static int slotFor(long tick, long from) {
        long bounded = Math.min(Math.max(tick, from), LAST_TICK);
        int level = (Long.SIZE - 1 - Long.numberOfLeadingZeros((from ^ bounded) | (SLOTS - 1))) / BITS;
        return level * SLOTS + ((int) (bounded >>> (level * BITS)) & (SLOTS - 1));
    }

    /** Takes a task out of its list, and appends it to that of another slot. */
    private void move(int place, int slot) {
        unlink(place);
        int last = previous[slot];
        next[last] = place;
        previous[place] = last;
        next[place] = slot;
        previous[slot] = place;
        occupied[slot >>> BITS] |= 1L << slot;
    }

    private void unlink(int place) {
        int before = previous[place];
        int after = next[place];
        next[before] = after;
        previous[after] = before;
        // The same place on both sides is the head of the slot, whose list is empty now.
        if (before == after) {
            occupied[before >>> BITS] &= ~(1L << before);
        }
    }

    /** Takes a task out of its list, and forgets it. Calls nothing: see the class. */
    private void release(int place) {
        int before = previous[place];
        int after = next[place];
        next[before] = after;
        previous[after] = before;
        if (before == after) { // as in unlink
            occupied[before >>> BITS] &= ~(1L << before);
        }
        tasks[place - HEADS] = null;
        next[place] = free;
        free = place;
        size--;
    }

    /**
     * Returns the occupied slot that begins first; of two that begin at the same tick the coarser, whose tasks may be
     * due before those of the finer one.
     */
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

    /** Returns the first tick of an occupied slot, which is on the same turn of its wheel as {@code reached}. */
    private long start(int slot) {
        int level = slot >>> BITS;
        long turn = reached & -(1L << ((level + 1) * BITS));
        return turn | ((long) (slot & (SLOTS - 1)) << (level * BITS));
    }

    /** Makes room for some tasks; there is none but those that lie here. Changes all at the end, and calls nothing. */
    private void resize(int capacity) {
        int old = tasks.length;
        int[] longerNext = Arrays.copyOf(next, HEADS + capacity);
        int[] longerPrevious = Arrays.copyOf(previous, HEADS + capacity);
        long[] longerDue = Arrays.copyOf(due, capacity);
        @Nullable Runnable[] longerTasks = Arrays.copyOf(tasks, capacity);
        int unused = capacity == 0 ? NO_LINK : free;
        for (int place = HEADS + capacity - 1; place >= HEADS + old; place--) {
            longerNext[place] = unused;
            unused = place;
        }
        next = longerNext;
        previous = longerPrevious;
        due = longerDue;
        tasks = longerTasks;
        free = unused;
    }
}
