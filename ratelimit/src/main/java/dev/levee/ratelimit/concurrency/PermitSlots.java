package dev.levee.ratelimit.concurrency;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A place for each permit that is held, with the time at which it was taken: what tells a second release from the
 * first, and finds permits that are held too long.
 *
 * <p>A place is two words: a generation, odd while the place is held, and the time. The stamp of a call names the place
 * and the generation, so it fits only until the permit is given back. There are twice as many places as permits, and a
 * thread looks first where no other one is likely to: a free place is found at once, or after one or two more looks.
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

    private final long[] words;
    private final int mask;

    /**
     * Makes places.
     *
     * @param permits how many may be held at most
     */
    PermitSlots(int permits) {
        int places = Integer.highestOneBit(Math.max(8, 2 * permits - 1)) << 1;
        words = new long[2 * places];
        mask = places - 1;
    }

    /**
     * Takes a free place, of which there is one while no more permits are held than were announced.
     *
     * @return the lower 55 bits of a stamp, never 0
     */
    long take(long nowNanos) {
        int place = (int) Thread.currentThread().getId() * SPREAD & mask;
        while (true) {
            long seen = (long) WORDS.getOpaque(words, 2 * place);
            if ((seen & 1) == 0 && WORDS.compareAndSet(words, 2 * place, seen, seen + 1)) {
                WORDS.setOpaque(words, 2 * place + 1, nowNanos);
                return (seen + 1 & GENERATION) << INDEX_BITS | place;
            }
            place = place + STEP & mask;
        }
    }

    /** Says better when a permit was taken. By the caller that took it. */
    void setSince(long stamp, long nowNanos) {
        WORDS.setOpaque(words, 2 * index(stamp) + 1, nowNanos);
    }

    /** The time at which a permit was taken; of no meaning if it was given back. */
    long since(long stamp) {
        return (long) WORDS.getOpaque(words, 2 * index(stamp) + 1);
    }

    /** Frees a place. Returns false if the stamp has no place any more: the permit was given back before. */
    boolean free(long stamp) {
        int place = index(stamp);
        long generation = stamp >>> INDEX_BITS & GENERATION;
        long seen = (long) WORDS.getOpaque(words, 2 * place);
        boolean held = (generation & 1) != 0 && (seen & GENERATION) == generation;
        return held && WORDS.compareAndSet(words, 2 * place, seen, seen + 1);
    }

    private int index(long stamp) {
        return (int) stamp & (1 << INDEX_BITS) - 1 & mask;
    }

    /** How often this place was taken before; any number that goes up by one with each use of the place. */
    static long uses(long stamp) {
        return stamp >>> (INDEX_BITS + 1);
    }

    /** Shows the times of all permits that are held. A permit that is just taken may be seen with an older time. */
    void visit(Visitor visitor) {
        for (int place = 0; place <= mask; place++) {
            long seen = (long) WORDS.getAcquire(words, 2 * place);
            if ((seen & 1) != 0) {
                long since = (long) WORDS.getOpaque(words, 2 * place + 1);
                if ((long) WORDS.getAcquire(words, 2 * place) == seen) {
                    visitor.held(since);
                }
            }
        }
    }
}
