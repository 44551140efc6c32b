package dev.levee.loadbalancing.strategy;

/**
 * Computes a lower bound of the age of the oldest call in flight from one word: the calls of two generations, and the
 * time at which the younger one began. The functions compute words; the caller keeps the word and changes it by
 * compare-and-set.
 *
 * <pre>
 *   63            32  31  30  29             15  14              0
 *   +--------------+---+---+------------------+------------------+
 *   |  began       |   | Y | calls of         | calls of         |
 *   |  CoarseTime  | - |   | generation 1     | generation 0     |
 *   +--------------+---+---+------------------+------------------+
 *                        Y: the number of the younger generation
 * </pre>
 *
 * <p>New calls belong to the younger generation. When the older one has drained, the younger takes its place with the
 * next call, which begins a new one. A call carries the number of its generation, so its end is one addition.
 *
 * <p>Invariants: all calls of the older generation are older than the beginning of the younger. So the result is never
 * more than the age of the oldest call while there are two generations, and it is behind by at most the time that the
 * older one took to drain: a stall shows before any call of it has ended. A generation holds 32767 calls; a call beyond
 * that is not counted, and its token says so. See ADR 40.
 */
final class CallAge {
    /** The token of a call that found its generation full, and is not counted. */
    static final long NOT_COUNTED = 2;

    private static final int BITS = 15;
    private static final long FULL = (1L << BITS) - 1;
    private static final long COUNTS = (1L << (2 * BITS)) - 1;

    /** The bit that says which of the two is the younger. */
    private static final int YOUNGER = 2 * BITS;

    private CallAge() {}

    private static long calls(long word, long generation) {
        return (word >>> (BITS * generation)) & FULL;
    }

    /** Returns the generation that the last call that {@link #started} belongs to. */
    static long younger(long word) {
        return (word >>> YOUNGER) & 1;
    }

    /** Returns the word with one call more, or the same word if there is no room. */
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

    /** Returns what to add to the word when a call of this generation has ended. */
    static long ended(long generation) {
        return -(1L << (BITS * generation));
    }

    /** Returns the number of calls that are counted. */
    static int calls(long word) {
        return (int) (calls(word, 0) + calls(word, 1));
    }

    /** Returns the age in nanoseconds; 0 if no call is in flight. */
    static double age(long word, int now) {
        if ((word & COUNTS) == 0) {
            return 0;
        }
        // A unit less, since the generation may have begun at the end of its unit.
        return Math.max(0, CoarseTime.between((int) (word >>> 32), now) - 1) * (double) CoarseTime.UNIT_NANOS;
    }
}
