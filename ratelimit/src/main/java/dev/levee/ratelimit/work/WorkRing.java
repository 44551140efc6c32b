package dev.levee.ratelimit.work;

import dev.levee.core.internal.PaddedLong;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The items that wait for their first attempt, in the order in which they were accepted, and the count of all places.
 *
 * <pre>
 *   ended           head            tail
 *     |  have begun   |  wait here    |
 *     v               v               v
 *  ---+---------------+---------------+---   tail - ended never exceeds the capacity
 * </pre>
 *
 * <p>Three words count what was accepted ({@code tail}), begun ({@code head}) and ended; a place is taken by the same
 * exchange that takes a position in the ring. The ring is that of Dmitry Vyukov, "Bounded MPMC queue" (1024cores.net,
 * 2010): a turn in each cell says whether the next thread may write or read it. An item that has begun keeps its place
 * and not its cell, so there is always a cell for a place; it may have to be waited for, as long as another thread
 * needs to copy a reference. Thread-safe and lock-free but for that; allocates nothing. See ADR 97.
 */
final class WorkRing {
    /** The item has a place. */
    static final int ACCEPTED = 0;

    /** All places are taken. */
    static final int FULL = 1;

    /** Nothing is accepted any more. */
    static final int CLOSED = 2;

    /** The bit of the tail that says so. */
    private static final long CLOSED_BIT = Long.MIN_VALUE;

    private static final int MAX_SPINS = 64;
    private static final VarHandle TURN = MethodHandles.arrayElementVarHandle(long[].class);

    private final int capacity;
    private final int mask;
    private final @Nullable Object[] items;
    private final long[] turns;

    /** When each item was accepted; empty if that is not noted. */
    private final long[] accepted;

    private final PaddedLong tail = new PaddedLong(0);
    private final PaddedLong head = new PaddedLong(0);
    private final PaddedLong ended = new PaddedLong(0);

    /**
     * A value that {@code ended + capacity} has had: so that what is written for each end is read only when all places
     * that were known to be free are taken. An older value over a newer one is only stricter, and then it is read.
     */
    private final PaddedLong limit;

    WorkRing(int capacity, boolean ages) {
        this.capacity = capacity;
        limit = new PaddedLong(capacity);
        int cells = capacity <= 2 ? 2 : Integer.highestOneBit(capacity - 1) << 1;
        mask = cells - 1;
        items = new Object[cells];
        turns = new long[cells];
        Arrays.setAll(turns, cell -> cell);
        accepted = new long[ages ? cells : 0];
    }

    /** Adds an item if there is a place; returns {@link #ACCEPTED}, {@link #FULL} or {@link #CLOSED}. */
    int put(Object item, long nowNanos) {
        while (true) {
            long position = tail.get();
            if (position < 0) {
                return CLOSED;
            }
            if (position >= limit.getOpaque() && position >= refreshedLimit()) {
                return FULL;
            }
            if (tail.compareAndSet(position, position + 1)) {
                fill(position, item, nowNanos);
                return ACCEPTED;
            }
        }
    }

    /** Returns at which position all places are taken, as of now. */
    private long refreshedLimit() {
        long now = ended.get() + capacity;
        limit.set(now);
        return now;
    }

    private void fill(long position, Object item, long nowNanos) {
        int cell = (int) position & mask;
        for (int spins = 0; (long) TURN.getAcquire(turns, cell) != position; spins++) {
            relax(spins);
        }
        items[cell] = item;
        if (accepted.length != 0) {
            accepted[cell] = nowNanos;
        }
        TURN.setRelease(turns, cell, position + 1);
    }

    /**
     * Moves the item that has waited longest into a slot. Waits for one that has its position and is just being
     * written: so a thread that has found nothing, and then says that it goes, has missed no item whose position was
     * taken before.
     *
     * @return whether there was one
     */
    boolean poll(WorkSlot slot) {
        for (int spins = 0; ; ) {
            long position = head.get();
            int cell = (int) position & mask;
            long turn = (long) TURN.getAcquire(turns, cell);
            if (turn == position + 1) {
                if (head.compareAndSet(position, position + 1)) {
                    Object item = items[cell];
                    long nanos = accepted.length == 0 ? 0 : accepted[cell];
                    items[cell] = null;
                    TURN.setRelease(turns, cell, position + mask + 1);
                    slot.hold(item, position, nanos);
                    return true;
                }
            } else if (position == accepted()) {
                return false;
            } else {
                relax(spins++);
            }
        }
    }

    /** Lets the other thread go on, which is in the middle of a few instructions. */
    @SuppressWarnings("ThreadPriorityCheck") // it may share this processor
    private static void relax(int spins) {
        if (spins < MAX_SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    /** An item that had begun has ended: its place is free. A full fence. */
    void end() {
        ended.getAndAdd(1);
    }

    /** Accepts nothing more. */
    void close() {
        long seen = tail.get();
        while (seen >= 0 && !tail.compareAndSet(seen, seen | CLOSED_BIT)) {
            seen = tail.get();
        }
    }

    boolean isClosed() {
        return tail.get() < 0;
    }

    /** Returns how many items have been accepted. */
    long accepted() {
        return tail.get() & ~CLOSED_BIT;
    }

    /** Returns how many items have been taken out of the ring. */
    long begun() {
        return head.get();
    }

    long ended() {
        return ended.get();
    }

    /** Returns how many items are in the ring. */
    long waiting() {
        long begun = head.get();
        return accepted() - begun;
    }

    /** Returns for how long the item has waited that has waited longest; -1 if there is none, or it is not noted. */
    long oldestAgeNanos(long nowNanos) {
        if (accepted.length == 0) {
            return -1;
        }
        while (true) {
            long position = head.get();
            int cell = (int) position & mask;
            boolean written = (long) TURN.getAcquire(turns, cell) == position + 1;
            long nanos = accepted[cell];
            VarHandle.acquireFence();
            if (head.get() == position) {
                return written ? Math.max(nowNanos - nanos, 0) : -1;
            }
        }
    }
}
