package dev.levee.circuitbreaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts by ticks: one word for each of the last ticks, on a ring, with the number of the lap in the upper half and the count in the
 * lower half.
 *
 * <p>A word of another lap than the one looked for counts as zero, and is begun anew by the next count. Laps come round after 2^32,
 * which is more than a century for a window of a second: a word would have to lie idle for just that long to be taken for a new one.
 */
final class TickCounter {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int PADDING = 16; // no line is shared with a neighbour
    private static final long COUNT = (1L << 32) - 1;
    private static final int BEHIND =
            1 << 10; // by how many laps a thread may be late and still leave later counts alone

    private final int ticks;
    private final int mask;
    private final int lapShift;
    private final long[] words;

    TickCounter(int ticks) {
        this.ticks = ticks;
        this.lapShift = Integer.SIZE - Integer.numberOfLeadingZeros(ticks - 1);
        this.mask = (1 << lapShift) - 1;
        this.words = new long[PADDING + mask + 1 + PADDING];
    }

    void add(long tick) {
        boolean added;
        do {
            added = tryAdd(tick);
        } while (!added);
    }

    /** Returns false if another thread came between. A tick that has lost its word to a later one is not counted. */
    boolean tryAdd(long tick) {
        int place = PADDING + ((int) tick & mask);
        long word = (long) WORDS.getVolatile(words, place);
        int ahead = lap(word) - lapOf(tick);
        if (ahead == 0) {
            return (word & COUNT) == COUNT || WORDS.compareAndSet(words, place, word, word + 1);
        }
        if (ahead > 0 && ahead <= BEHIND) {
            return true;
        }
        return WORDS.compareAndSet(words, place, word, (long) lapOf(tick) << 32 | 1);
    }

    /** Everything counted in the ticks that end with this one. */
    long sum(long tick) {
        long sum = 0;
        for (int age = 0; age < ticks; age++) {
            long word = (long) WORDS.getVolatile(words, PADDING + ((int) (tick - age) & mask));
            if (lap(word) == lapOf(tick - age)) {
                sum += word & COUNT;
            }
        }
        return sum;
    }

    private int lapOf(long tick) {
        return (int) (tick >> lapShift);
    }

    private static int lap(long word) {
        return (int) (word >>> 32);
    }
}
