package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;

/**
 * Draws again, a bounded number of times, while what was drawn cannot be used. If all draws were in vain the result is
 * {@link #NONE}, and the caller scans all candidates instead: a draw is O(1), and a scan always finds a candidate if
 * there is one.
 *
 * <p>Nothing is allocated, and no random number is taken but those of the draws.
 */
final class Redraw {
    /** No draw could be used. */
    static final int NONE = -1;

    /** The number of draws: with half of the candidates eligible, one call in 256 scans. */
    static final int MAX_DRAWS = 8;

    private Redraw() {}

    /** Returns the first pick that is eligible. */
    static int index(BalancingStrategy.Picker picker, long hash, IntPredicate eligible, int maxDraws) {
        for (int draws = 0; draws < maxDraws; draws++) {
            int index = picker.pick(hash);
            if (eligible.test(index)) {
                return index;
            }
        }
        return NONE;
    }

    /**
     * Returns the first pair of which both are eligible, as {@link PairDraw#draw} returns it. For two candidates or
     * more.
     */
    static long pair(PairDraw pairs, RandomGenerator random, IntPredicate eligible) {
        for (int draws = 0; draws < MAX_DRAWS; draws++) {
            long pair = pairs.draw(random);
            if (eligible.test(PairDraw.first(pair)) && eligible.test(PairDraw.second(pair))) {
                return pair;
            }
        }
        return NONE;
    }

    /** Returns the first index of a table that is not this one. */
    static int other(AliasTable table, int one, RandomGenerator random) {
        for (int draws = 0; draws < MAX_DRAWS; draws++) {
            int other = table.draw(random.nextLong());
            if (other != one) {
                return other;
            }
        }
        return NONE;
    }
}
