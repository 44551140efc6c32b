package dev.levee.loadbalancing.strategy;

/**
 * Computes from one word for how long calls have been waiting at an endpoint without one of them succeeding. The
 * functions compute words; the caller keeps the word and changes it by compare-and-set.
 *
 * <pre>
 *   63            32 31                  12 11          0
 *   +--------------+----------------------+--------------+
 *   |  began       |  round               |  waiting     |
 *   |  CoarseTime  |                      |  calls       |
 *   +--------------+----------------------+--------------+
 * </pre>
 *
 * <p>Calls belong to the round in which they began. A call that succeeds within its round ends it: those that began
 * before are overtaken, they do not wait for the endpoint but for what they are themselves, such as a long body, and
 * count no more. A round begins with its first call.
 *
 * <p>Invariants: the result is 0 unless a call of the round is in flight, and since {@code began} there has always been
 * one and none has succeeded. A round counts 4095 calls; a call beyond that is not counted, and its token says so. The
 * end of a call of an earlier round changes nothing; a round has the number of an earlier one again after a million.
 * See ADR 40 and ADR 77.
 */
final class CallAge {
    /** The token of a call that found its round full, and is not counted. */
    static final long NOT_COUNTED = -1;

    private static final int BITS = 12;
    private static final long FULL = (1L << BITS) - 1;
    private static final long ROUNDS = (1L << (32 - BITS)) - 1;
    private static final long BEGAN = 0xFFFF_FFFF_0000_0000L;

    private CallAge() {}

    /** Returns the number of calls of the round that are in flight. */
    static int waiting(long word) {
        return (int) (word & FULL);
    }

    static boolean isFull(long word) {
        return (word & FULL) == FULL;
    }

    /** Returns the round: the token of the last call that {@link #started}. */
    static long round(long word) {
        return (word >>> BITS) & ROUNDS;
    }

    /** Returns the word with one call more, or the same word if there is no room. */
    static long started(long word, int now) {
        long waiting = word & FULL;
        if (waiting == FULL) {
            return word;
        }
        return (waiting == 0 ? (word & ~BEGAN) | ((long) now << 32) : word) + 1;
    }

    /** Returns the word without a call that has ended; the same word if it was overtaken. */
    static long ended(long word, long token, boolean succeeded) {
        if (round(word) != token) {
            return word;
        }
        if (succeeded) {
            return (word & BEGAN) | (((token + 1) & ROUNDS) << BITS);
        }
        return (word & FULL) == 0 ? word : word - 1;
    }

    /** Returns whether the round began longer ago than this many nanoseconds. */
    static boolean isLongAgo(long word, int now, double nanos) {
        return CoarseTime.between((int) (word >>> 32), now) * (double) CoarseTime.UNIT_NANOS > nanos;
    }

    /** Returns for how long calls have waited, in nanoseconds; 0 if none does. */
    static double age(long word, int now) {
        if ((word & FULL) == 0) {
            return 0;
        }
        // A unit less, since the round may have begun at the end of its unit.
        return Math.max(0, CoarseTime.between((int) (word >>> 32), now) - 1) * (double) CoarseTime.UNIT_NANOS;
    }
}
