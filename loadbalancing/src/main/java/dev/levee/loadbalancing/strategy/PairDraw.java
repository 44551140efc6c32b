package dev.levee.loadbalancing.strategy;

import java.util.random.RandomGenerator;

/**
 * Draws two different indices in proportion to weight. A pair is one long, so that it is not allocated:
 *
 * <pre>
 *   63              32 31               0
 *   +-----------------+-----------------+
 *   |      first      |     second      |   both from 0, so a pair is never negative
 *   +-----------------+-----------------+
 * </pre>
 */
final class PairDraw {
    private final int size;
    private final boolean even;

    /** Not used if all weights are equal. */
    private final AliasTable table;

    PairDraw(double[] weights) {
        size = weights.length;
        even = Weights.equal(weights);
        table = new AliasTable(even ? new double[] {1} : weights);
    }

    static int first(long pair) {
        return (int) (pair >>> 32);
    }

    static int second(long pair) {
        return (int) pair;
    }

    /** Draws a pair. For two candidates or more. */
    long draw(RandomGenerator random) {
        long bits = random.nextLong();
        int first = drawFirst(bits);
        return (long) first << 32 | drawSecond(first, bits, random);
    }

    /** Draws the first alone, from a random number whose lower half is left for {@link #drawSecond}. */
    int drawFirst(long bits) {
        return even ? (int) (((bits >>> 32) * size) >>> 32) : table.draw(bits);
    }

    /** Draws another index than the first. */
    int drawSecond(int first, long bits, RandomGenerator random) {
        if (even) {
            return other(first, bits & 0xFFFFFFFFL);
        }
        int second = Redraw.other(table, first, random);
        // If there is none, one outweighs all others so far that the partner does not matter.
        return second >= 0 ? second : other(first, random.nextLong() >>> 32);
    }

    /** Returns one of the others, counted without the first. */
    private int other(int first, long bits) {
        int other = (int) ((bits * (size - 1)) >>> 32);
        return other < first ? other : other + 1;
    }
}
