package dev.levee.circuitbreaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts by ticks: one word for each of the last ticks, on a ring.
 *
 * <pre>{@code
 * | lap (32) | count (32) |
 * }</pre>
 *
 * <p><b>Invariants.</b> A word of another lap than the expected one counts as zero, and the next count starts it anew.
 * A word never returns to an earlier lap: a count for a lap that is up to 1024 behind its word is dropped, and a
 * greater distance means that lap numbers have wrapped. They wrap after 2^32 laps, which is more than a century for a
 * window of a second: only a word that was idle for exactly that long would be taken for a current one.
 */
final class TickCounter {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    /** Unused words on both sides, so that no cache line is shared with a neighbour. */
    private static final int PADDING = 16;

    private static final long COUNT = (1L << 32) - 1;

    /** How many laps a thread may be late and still leave later counts unchanged. */
    private static final int MAX_LAPS_BEHIND = 1 << 10;

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

    /**
     * Counts once; false if another thread changed the word. A tick whose word holds a later tick already is not
     * counted.
     */
    boolean tryAdd(long tick) {
        int place = PADDING + ((int) tick & mask);
        long word = (long) WORDS.getVolatile(words, place);
        int ahead = lap(word) - lapOf(tick);
        if (ahead == 0) {
            return (word & COUNT) == COUNT || WORDS.compareAndSet(words, place, word, word + 1);
        }
        if (ahead > 0 && ahead <= MAX_LAPS_BEHIND) {
            return true;
        }
        return WORDS.compareAndSet(words, place, word, (long) lapOf(tick) << 32 | 1);
    }

    /** Returns what was counted in the ticks that end with this one. */
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
