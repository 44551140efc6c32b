package dev.levee.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Hands out numbers, each one more than the last, as long as threads do not meet.
 *
 * <p>A thread that loses the shared word to another counts in a row of its own for a while, without an atomic operation, and then
 * tries the shared word again. So the numbers of threads that come one after the other are one row, and those of threads that come
 * at the same time are several rows, each of which goes up by one.
 */
public final class StripedSequence {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    /** How many numbers of its own row a thread takes before it tries the shared word again; a power of two. */
    private static final int RUN = 64;

    /** Longs between two words: two cache lines, for processors fetch lines in pairs. */
    private static final int STRIDE = 16;

    private static final int SHARED = STRIDE;
    private static final int ROWS = 2 * STRIDE;
    private static final int MAX_ROWS = 64;
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    private final long[] words;
    private final int mask;

    /**
     * A sequence.
     *
     * @param first the first number
     */
    public StripedSequence(long first) {
        this(first, Runtime.getRuntime().availableProcessors());
    }

    /** Four to eight rows for each processor: two threads that meet in one are few then. */
    StripedSequence(long first, int processors) {
        int rows = Math.min(Integer.highestOneBit(processors) * 8, MAX_ROWS);
        mask = rows - 1;
        words = new long[ROWS + rows * STRIDE + STRIDE];
        words[SHARED] = first;
        for (int row = 0; row < rows; row++) {
            long mixed = (first + row + 1) * GOLDEN_RATIO;
            mixed = (mixed ^ mixed >>> 32) * GOLDEN_RATIO;
            words[ROWS + row * STRIDE] = mixed & -RUN; // each begins elsewhere, and by trying the shared word
        }
    }

    /**
     * Takes a number.
     *
     * @return the number
     */
    public long next() {
        int row = ROWS + ((int) Thread.currentThread().getId() & mask) * STRIDE;
        long own = (long) WORD.getOpaque(words, row);
        if ((own & RUN - 1) == 0) {
            long shared = (long) WORD.getOpaque(words, SHARED);
            if (WORD.compareAndSet(words, SHARED, shared, shared + 1)) {
                return shared;
            }
        }
        // Two threads in one row may take the same number: an unevenness of one call, which is less than a second
        // atomic operation costs.
        WORD.setOpaque(words, row, own + 1);
        return own;
    }
}
