package dev.levee.core.policy;

import dev.levee.core.internal.PaddedLong;

/**
 * Free permits, spread over cells so that threads seldom meet on one word, and counted exactly all the same.
 *
 * <p>A permit lies in one cell or is in somebody's hands; nothing else holds it. A thread takes from the cell that is its home, and from
 * the others when that is empty. It is refused only after all cells were seen empty twice, and nothing was given back in between: so
 * there was one moment at which all were empty. For that, each cell counts what is given back to it.
 *
 * <p>A cell can be closed. Permits still come back to it, but whoever brings one is told, and {@link #tryTake} takes none. Each closing
 * counts like a permit that comes back, so that who decided to open a cell before it was closed once more does not.
 */
final class StripedPermits {
    /** {@link #tryTake}: there was a moment at which no permit was free. */
    static final int NONE = -1;

    /** {@link #tryTake}: a cell is closed. */
    static final int CLOSED = -2;

    /** A cell: changes in the upper half; in the lower half the free permits, and the sign if it is closed. */
    private static final long CHANGE = 1L << 32;

    private static final long CLOSED_BIT = 1L << 31;
    private static final int MAX_CELLS =
            Math.min(8, 2 * Integer.highestOneBit(Runtime.getRuntime().availableProcessors()));
    private static final int PERMITS_PER_CELL = 8;

    private final PaddedLong[] cells;
    private final int mask;

    /** As many cells as processors can use, but one only where there are few permits, or one processor. */
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

    /** The cell of the calling thread. */
    int home() {
        return (int) Thread.currentThread().getId() & mask;
    }

    /** Takes a permit from home, if that costs no more than one look and one write. */
    boolean tryTakeAt(int home) {
        PaddedLong cell = cells[home];
        long seen = cell.get();
        return (int) seen > 0 && cell.compareAndSet(seen, seen - 1);
    }

    /**
     * Takes a permit from any cell, home first. Lock-free: it begins again only when another thread has brought or taken one.
     *
     * @return the cell that it was in, {@link #NONE} or {@link #CLOSED}
     */
    int tryTake(int home) {
        while (true) {
            long sum = 0;
            for (int i = 0; i < cells.length; i++) {
                int place = home + i & mask;
                PaddedLong cell = cells[place];
                long seen = cell.get();
                while ((int) seen > 0) {
                    if (cell.compareAndSet(seen, seen - 1)) {
                        return place;
                    }
                    seen = cell.get();
                }
                if ((int) seen < 0) {
                    return CLOSED;
                }
                sum += seen;
            }
            // An empty cell changes only upwards: equal sums, equal cells. One cell alone was seen at one moment
            // anyway.
            if (cells.length == 1 || sum == sum()) {
                return NONE;
            }
        }
    }

    /** Takes a permit from any cell, closed or not; {@link #NONE} if none was there when its cell was looked at. */
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

    /** Takes permits out of one cell, closed or not: as many as are there, but no more than asked for. */
    long takeUpTo(long most) {
        for (PaddedLong cell : cells) {
            long seen = cell.get();
            while (free(seen) > 0) {
                long taken = Math.min(free(seen), most);
                if (cell.compareAndSet(seen, seen - taken)) {
                    return taken;
                }
                seen = cell.get();
            }
        }
        return 0;
    }

    /** Gives a permit back; true if the cell is closed, and somebody must be looked after. Any number names a cell. */
    boolean giveBack(int place) {
        return (int) cells[place & mask].getAndAdd(CHANGE + 1) < 0;
    }

    /** Makes permits. */
    void add(int permits) {
        for (int cell = 0; cell < cells.length; cell++) {
            cells[cell].getAndAdd(CHANGE + share(permits, cell));
        }
    }

    void close() {
        for (PaddedLong cell : cells) {
            long seen;
            do {
                seen = cell.get();
            } while (!cell.compareAndSet(seen, (seen | CLOSED_BIT) + CHANGE));
        }
    }

    /** Why cells are closed. */
    interface Reason {
        boolean holds();
    }

    /** Opens what is closed for no reason. */
    void openUnless(Reason reason) {
        for (PaddedLong cell : cells) {
            long seen = cell.get();
            // In this order: who has a new reason closes the cell again after that, and then it is not the one that was
            // seen.
            if (reason.holds()) {
                return;
            }
            if ((int) seen < 0) {
                cell.compareAndSet(seen, seen & ~CLOSED_BIT);
            }
        }
    }

    /** How many are free; while permits come and go, the sum of what was seen one cell after the other. */
    long free() {
        long sum = 0;
        for (PaddedLong cell : cells) {
            sum += free(cell.get());
        }
        return sum;
    }

    private long sum() {
        long sum = 0;
        for (PaddedLong cell : cells) {
            sum += cell.get();
        }
        return sum;
    }

    private static long free(long cell) {
        return cell & Integer.MAX_VALUE;
    }
}
