package dev.levee.circuitbreaker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts by ticks: one word for each of the last ticks, the tick's number in its upper half and the count in its lower half.
 *
 * <p>A word whose number is not one of the last counts as zero, and is begun anew by the next count. Numbers come round after 2^32
 * ticks, which is two years for a window of a second: a word would have to lie idle for just that long to be taken for a new one.
 */
final class TickCounter {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int PADDING = 16; // no line is shared with a neighbour
    private static final long COUNT = (1L << 32) - 1;
    private static final int LATEST = 1 << 16; // by how much a thread may be behind and still leave later counts alone

    private final int ticks;
    private final int mask;
    private final long[] words;

    TickCounter(int ticks) {
        this.ticks = ticks;
        int places = ticks == 1 ? 1 : 2 * Integer.highestOneBit(ticks - 1);
        this.mask = places - 1;
        this.words = new long[PADDING + places + PADDING];
    }

    void add(long tick) {
        boolean added;
        do {
            added = tryAdd(tick);
        } while (!added);
    }

    /** Returns false if another thread came between. A tick that has lost its place to a later one is not counted. */
    boolean tryAdd(long tick) {
        int place = PADDING + ((int) tick & mask);
        long word = (long) WORDS.getVolatile(words, place);
        int age = (int) tick - (int) (word >>> 32);
        if ((age < 0 && age >= -LATEST) || (age == 0 && (word & COUNT) == COUNT)) {
            return true;
        }
        return WORDS.compareAndSet(words, place, word, age == 0 ? word + 1 : tick << 32 | 1);
    }

    /** Everything counted in the ticks that end with this one. */
    long sum(long tick) {
        long sum = 0;
        for (int place = PADDING; place <= PADDING + mask; place++) {
            long word = (long) WORDS.getVolatile(words, place);
            int age = (int) tick - (int) (word >>> 32);
            if (age >= 0 && age < ticks) {
                sum += word & COUNT;
            }
        }
        return sum;
    }
}
