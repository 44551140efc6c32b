package dev.levee.loadbalancing.strategy;

/**
 * How old the oldest call in flight is at least, kept in one word: the calls of two generations, and when the younger one began.
 *
 * <p>New calls belong to the younger generation. When the older one has ended, the younger takes its place with the next call, which
 * begins a new one. All calls of the older are then older than the beginning of the younger, so what is told is never more than the
 * age of the oldest call while there are two, and it is behind by at most the time that the older took to end: a stall shows before
 * any call of it has ended. The time is a tick of the {@link CoarseTime}.
 */
final class CallAge {
    /** What a call gets that found a generation full, and is not counted. */
    static final long NOT_COUNTED = 2;

    private static final int BITS = 15;
    private static final long FULL = (1L << BITS) - 1;
    private static final long COUNTS = (1L << (2 * BITS)) - 1;
    private static final int YOUNGER = 2 * BITS; // the bit that says which of the two is the younger

    private CallAge() {}

    private static long calls(long word, long generation) {
        return (word >>> (BITS * generation)) & FULL;
    }

    /** Which generation the last call that {@link #started} belongs to. */
    static long younger(long word) {
        return (word >>> YOUNGER) & 1;
    }

    /** The word with one call more, or the same word if there is no room. */
    static long started(long word, int now) {
        long younger = younger(word);
        long state = word;
        if (calls(word, 1 - younger) == 0) {
            if (calls(word, younger) > 0) {
                younger = 1 - younger;
                state ^= 1L << YOUNGER;
            }
            state = (state & 0xFFFF_FFFFL) | ((long) now << 32);
        }
        return calls(state, younger) == FULL ? word : state + (1L << (BITS * younger));
    }

    /** What to add to the word when a call of this generation has ended. */
    static long ended(long generation) {
        return -(1L << (BITS * generation));
    }

    /** How many calls are counted. */
    static int calls(long word) {
        return (int) (calls(word, 0) + calls(word, 1));
    }

    /** In nanoseconds; 0 if no call is in flight. */
    static double age(long word, int now) {
        if ((word & COUNTS) == 0) {
            return 0;
        }
        // A tick less, since the generation may have begun at the end of its tick.
        return Math.max(0, CoarseTime.between((int) (word >>> 32), now) - 1) * (double) CoarseTime.NANOS;
    }
}
