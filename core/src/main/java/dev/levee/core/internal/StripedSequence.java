package dev.levee.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A sequence of numbers that many threads draw from at once, striped to avoid contention.
 *
 * <p>There is one shared row, and a private row for each of several groups of threads. Without contention every number
 * comes from the shared row and is one more than the last. A thread whose compare-and-set on the shared row fails draws
 * the next 64 numbers from its private row, without an atomic read-modify-write, and then tries the shared row again.
 * So numbers drawn at the same time belong to several rows, each of which goes up by one.
 *
 * <p>Numbers are for choosing (round robin), not for identity: two threads of one private row may draw the same number.
 * Thread-safe. See ADR 52.
 *
 * <pre>
 * words   | padding | shared | padding | row 0 | padding | row 1 | padding | ...     a row every 16 longs
 * row     a multiple of 64: the next number comes from the shared row if the compare-and-set succeeds
 *         any other value:  the next number of the row itself
 * </pre>
 */
public final class StripedSequence {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    /** How many numbers a thread draws from its private row before it tries the shared row again; a power of two. */
    private static final int RUN = 64;

    /** Longs between two rows: two cache lines, because processors fetch lines in pairs. */
    private static final int STRIDE = 16;

    private static final int SHARED = STRIDE;
    private static final int ROWS = 2 * STRIDE;
    private static final int MAX_ROWS = 64;
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    private final long[] words;
    private final int mask;

    /**
     * Makes a sequence.
     *
     * @param first the first number
     */
    public StripedSequence(long first) {
        this(first, Runtime.getRuntime().availableProcessors());
    }

    /** Four to eight private rows for each processor, so that few threads share one. */
    StripedSequence(long first, int processors) {
        int rows = Math.min(Integer.highestOneBit(processors) * 8, MAX_ROWS);
        mask = rows - 1;
        words = new long[ROWS + rows * STRIDE + STRIDE];
        words[SHARED] = first;
        for (int row = 0; row < rows; row++) {
            long mixed = (first + row + 1) * GOLDEN_RATIO;
            mixed = (mixed ^ mixed >>> 32) * GOLDEN_RATIO;
            // Each row begins elsewhere, at a multiple of RUN: the first draw tries the shared row.
            words[ROWS + row * STRIDE] = mixed & -RUN;
        }
    }

    /**
     * Draws a number.
     *
     * @return the number
     */
    public long next() {
        int row = ROWS + ((int) Thread.currentThread().getId() & mask) * STRIDE;
        // Opaque everywhere: numbers order nothing, and the compare-and-set checks what was read of the shared row.
        long own = (long) WORD.getOpaque(words, row);
        if ((own & RUN - 1) == 0) {
            long shared = (long) WORD.getOpaque(words, SHARED);
            if (WORD.compareAndSet(words, SHARED, shared, shared + 1)) {
                return shared;
            }
        }
        // Two threads of one row may draw the same number: an unevenness of one call, which costs less than a second
        // atomic operation.
        WORD.setOpaque(words, row, own + 1);
        return own;
    }
}
