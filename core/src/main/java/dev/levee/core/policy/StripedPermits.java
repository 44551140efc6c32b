package dev.levee.core.policy;

import dev.levee.core.internal.PaddedLong;
import java.util.function.BooleanSupplier;

/**
 * Free permits, spread over cells so that threads seldom meet on one word, and counted exactly all the same. Each cell
 * is a word on cache lines of its own:
 *
 * <pre>{@code
 * bit   63           32      31     30            0
 *      +---------------+----------+---------------+
 *      |    changes    |  CLOSED  |     free      |
 *      +---------------+----------+---------------+
 *
 * changes   goes up by 1 whenever permits are given back or added, and with each closing; wraps
 * CLOSED    is the sign of the lower half: (int) cell is negative if the cell is closed, positive if it is open
 *           and has a free permit, 0 if it is open and empty
 * free      permits in this cell
 * }</pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>A permit is in one cell or with one thread; no other place holds permits.
 *   <li>A call is refused only if there was one moment at which all cells were empty. A thread takes from the cell that
 *       is its home, and from the others when that is empty. Seeing all empty one after the other proves nothing, since
 *       a permit may move behind the reader; so it reads all a second time. An open empty cell changes only by going up
 *       (in {@code changes}, and perhaps {@code free}), so an equal sum means equal cells, and that nothing was given
 *       back in between.
 *   <li>{@link #tryTake} takes nothing from a closed cell. Permits are still given back to it, and {@link #giveBack}
 *       then returns true.
 *   <li>A thread that has decided to open a cell does not open it if it was closed once more since: closing counts as a
 *       change, so its compare-and-set fails.
 * </ul>
 *
 * <p>See ADR 31.
 */
class StripedPermits {
    /** The answer of {@link #tryTake} that there was a moment at which no permit was free. */
    static final int NONE = -1;

    /** The answer of {@link #tryTake} that a cell is closed. */
    static final int CLOSED = -2;

    /** One change: the lowest bit of the upper half of a cell. */
    private static final long CHANGE = 1L << 32;

    private static final long CLOSED_BIT = 1L << 31;
    private static final int MAX_CELLS =
            Math.min(8, 2 * Integer.highestOneBit(Runtime.getRuntime().availableProcessors()));
    private static final int PERMITS_PER_CELL = 8;

    private final PaddedLong[] cells;
    private final int mask;

    /** Makes as many cells as processors can use, but only one for few permits or on one processor. */
    StripedPermits(int permits) {
        this(
                permits,
                MAX_CELLS == 2
                        ? 1
                        : Math.min(MAX_CELLS, Math.max(1, Integer.highestOneBit(permits / PERMITS_PER_CELL))));
    }

    /**
     * For tests.
     *
     * @param count a power of two
     */
    StripedPermits(int permits, int count) {
        cells = new PaddedLong[count];
        mask = count - 1;
        for (int cell = 0; cell < count; cell++) {
            cells[cell] = new PaddedLong(share(permits, cell));
        }
    }

    private int share(int permits, int cell) {
        return permits / cells.length + (cell < permits % cells.length ? 1 : 0);
    }

    /** Returns the home of the calling thread: the cell that it tries first. */
    int home() {
        return (int) Thread.currentThread().getId() & mask;
    }

    /** Takes a permit from home, if that costs no more than one read and one write. */
    boolean tryTakeAt(int home) {
        PaddedLong cell = cells[home];
        long seen = cell.get();
        return (int) seen > 0 && cell.compareAndSet(seen, seen - 1);
    }

    /**
     * Takes a permit from any cell, home first. Lock-free: it begins again only when another thread has brought or
     * taken one.
     *
     * @return the cell that the permit was in, {@link #NONE} or {@link #CLOSED}
     */
    int tryTake(int home) {
        while (true) {
            long sum = 0;
            for (int i = 0; i < cells.length; i++) {
                int place = home + i & mask;
                long seen = read(place);
                while ((int) seen > 0) {
                    if (cells[place].compareAndSet(seen, seen - 1)) {
                        return place;
                    }
                    seen = read(place);
                }
                if ((int) seen < 0) {
                    return CLOSED;
                }
                sum += seen;
            }
            // Equal sums mean equal cells, see above. A single cell was read at one moment anyway.
            if (cells.length == 1 || sum == sum()) {
                return NONE;
            }
        }
    }

    /** Takes a permit from any cell, closed or not. Returns {@link #NONE} if each cell was empty when it was read. */
    int takeAnywhere() {
        for (int place = 0; place < cells.length; place++) {
            PaddedLong cell = cells[place];
            long seen = cell.get();
            while (free(seen) > 0) {
                if (cell.compareAndSet(seen, seen - 1)) {
                    return place;
                }
                seen = cell.get();
            }
        }
        return NONE;
    }

    /** Takes permits out of one cell, closed or not: as many as it has, and at max this many. Returns how many. */
    long takeUpTo(long max) {
        for (PaddedLong cell : cells) {
            long seen = cell.get();
            while (free(seen) > 0) {
                long taken = Math.min(free(seen), max);
                if (cell.compareAndSet(seen, seen - taken)) {
                    return taken;
                }
                seen = cell.get();
            }
        }
        return 0;
    }

    /**
     * Gives a permit back to a cell, which any number names. Returns true if the cell is closed: a debt or a waiter may
     * need it.
     */
    boolean giveBack(int place) {
        return (int) cells[place & mask].getAndAdd(CHANGE + 1) < 0;
    }

    /** Adds new permits, evenly. */
    void add(int permits) {
        for (int cell = 0; cell < cells.length; cell++) {
            cells[cell].getAndAdd(CHANGE + share(permits, cell));
        }
    }
    /** Closes all cells. */
    void close() {
        for (PaddedLong cell : cells) {
            long seen;
            do {
                seen = cell.get();
            } while (!cell.compareAndSet(seen, (seen | CLOSED_BIT) + CHANGE));
        }
    }
    /** Opens the cells that are closed, unless there is a reason for that. */
    void openUnless(BooleanSupplier busy) {
        for (PaddedLong cell : cells) {
            long seen = cell.get();
            // Read the cell first: a thread that has a new reason closes the cell after that, and the compare-and-set
            // fails.
            if (busy.getAsBoolean()) {
                return;
            }
            if ((int) seen < 0) {
                cell.compareAndSet(seen, seen & ~CLOSED_BIT);
            }
        }
    }

    /** Returns how many permits are free. While permits come and go it is the sum of what was read cell by cell. */
    long free() {
        long sum = 0;
        for (PaddedLong cell : cells) {
            sum += free(cell.get());
        }
        return sum;
    }

    private long sum() {
        long sum = 0;
        for (int place = 0; place < cells.length; place++) {
            sum += read(place);
        }
        return sum;
    }

    /** Reads a cell for a decision to refuse; overridden where a test lets something happen before. */
    long read(int place) {
        return cells[place].get();
    }

    private static long free(long cell) {
        return cell & Integer.MAX_VALUE;
    }
}
