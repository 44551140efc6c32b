package dev.levee.ratelimit.concurrency;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * A place for each permit that is held, with the time at which it was taken: what tells a second release from the
 * first, and finds permits that are held too long.
 *
 * <p>A place is two words: a generation, odd while the place is held, and the time. The stamp of a call names the place
 * and the generation, so it fits only until the permit is given back. There are twice as many places as permits, and a
 * thread looks first where no other one is likely to: a free place is found at once, or after one or two more looks.
 *
 * <p>Places are never moved. When there have to be more, another table is added, as large as all before it.
 *
 * <p>See ADR 92.
 */
final class PermitSlots {
    /** A look at all places that are held. */
    @FunctionalInterface
    interface Visitor {
        void held(long sinceNanos);
    }

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    /** Places between the first looks of two threads: those of a cache line. */
    private static final int SPREAD = 4;

    /** An odd step, so that it comes past all places; large, so that it leaves a crowded region. */
    private static final int STEP = 0x2F3B;

    private static final int INDEX_BITS = 17;
    private static final long GENERATION = (1L << 38) - 1;

    /** The places from 0. */
    private final long[] first;

    private final int firstMask;

    /** The places behind the first table: one table after the other, each as large as all before it. */
    private volatile long[][] added = {};

    /**
     * Makes places.
     *
     * @param permits how many may be held at most
     */
    PermitSlots(int permits) {
        int places = places(permits);
        first = new long[2 * places];
        firstMask = places - 1;
    }

    private static int places(int permits) {
        return Integer.highestOneBit(Math.max(8, 2 * permits - 1)) << 1;
    }

    /** Adds places, if there are too few for so many permits. One thread at a time. */
    void grow(int permits) {
        while (mask(added) + 1 < places(permits)) {
            long[][] more = Arrays.copyOf(added, added.length + 1);
            more[added.length] = new long[2 * (mask(added) + 1)];
            added = more;
        }
    }

    private int mask(long[][] more) {
        return ((firstMask + 1) << more.length) - 1;
    }

    /**
     * Takes a free place, of which there is one while no more permits are held than were announced.
     *
     * @return the lower 55 bits of a stamp, never 0
     */
    long take(long nowNanos) {
        int place = (int) Thread.currentThread().getId() * SPREAD & firstMask;
        long taken = tryTake(first, place, place, nowNanos);
        while (taken == 0) {
            place = place + STEP & mask(added);
            taken = tryTake(table(place), indexInTable(place), place, nowNanos);
        }
        return taken;
    }

    private static long tryTake(long[] words, int index, int place, long nowNanos) {
        long seen = (long) WORDS.getOpaque(words, 2 * index); // opaque: the exchange decides
        if ((seen & 1) != 0 || !WORDS.compareAndSet(words, 2 * index, seen, seen + 1)) {
            return 0;
        }
        WORDS.setOpaque(words, 2 * index + 1, nowNanos); // opaque: a look may see an older time
        return (seen + 1 & GENERATION) << INDEX_BITS | place;
    }

    /** Says better when a permit was taken. By the caller that took it. */
    void setSince(long stamp, long nowNanos) {
        int place = place(stamp);
        WORDS.setOpaque(table(place), 2 * indexInTable(place) + 1, nowNanos);
    }

    /** The time at which a permit was taken; of no meaning if it was given back. */
    long since(long stamp) {
        int place = place(stamp);
        return (long) WORDS.getOpaque(table(place), 2 * indexInTable(place) + 1);
    }

    /** Frees a place. Returns false if the stamp has no place any more: the permit was given back before. */
    boolean free(long stamp) {
        int place = place(stamp);
        long[] words = table(place);
        int index = 2 * indexInTable(place);
        long generation = stamp >>> INDEX_BITS & GENERATION;
        long seen = (long) WORDS.getOpaque(words, index); // opaque: the exchange decides
        boolean held = (generation & 1) != 0 && (seen & GENERATION) == generation;
        return held && WORDS.compareAndSet(words, index, seen, seen + 1);
    }

    /** The place of a stamp; some place, if the stamp was never given. */
    private int place(long stamp) {
        int place = (int) stamp & (1 << INDEX_BITS) - 1;
        return place <= firstMask ? place : place & mask(added);
    }

    private long[] table(int place) {
        return place <= firstMask ? first : added[tablesBefore(place)];
    }

    private int indexInTable(int place) {
        return place <= firstMask ? place : place - ((firstMask + 1) << tablesBefore(place));
    }

    /** How many of the added tables come before that of a place. */
    private int tablesBefore(int place) {
        return Integer.numberOfLeadingZeros(firstMask + 1) - Integer.numberOfLeadingZeros(place);
    }

    /** How often this place was taken before; any number that goes up by one with each use of the place. */
    static long uses(long stamp) {
        return stamp >>> (INDEX_BITS + 1);
    }

    /** Shows the times of all permits that are held. A permit that is just taken may be seen with an older time. */
    void visit(Visitor visitor) {
        visit(first, visitor);
        for (long[] words : added) {
            visit(words, visitor);
        }
    }

    private static void visit(long[] words, Visitor visitor) {
        for (int index = 0; index < words.length; index += 2) {
            long seen = (long) WORDS.getAcquire(words, index);
            if ((seen & 1) != 0) {
                long since = (long) WORDS.getOpaque(words, index + 1);
                if ((long) WORDS.getAcquire(words, index) == seen) {
                    visitor.held(since);
                }
            }
        }
    }
}
