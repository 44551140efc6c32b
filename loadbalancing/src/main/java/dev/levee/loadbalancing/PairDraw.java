package dev.levee.loadbalancing;

import java.util.random.RandomGenerator;

/** Draws two different indices in proportion to weight. */
final class PairDraw {
    /** How often the second is drawn again because it was the first. */
    private static final int MOST_DRAWS = 8;

    private final int size;
    private final AliasTable table; // of no use if all weights are equal
    private final boolean even;

    private PairDraw(double[] weights) {
        size = weights.length;
        even = Weights.equal(weights);
        table = new AliasTable(even ? new double[] {1} : weights);
    }

    static PairDraw of(double[] weights) {
        return new PairDraw(weights);
    }

    static int first(long pair) {
        return (int) (pair >>> 32);
    }

    static int second(long pair) {
        return (int) pair;
    }

    /** The first in the upper, the second in the lower half; not negative. For two or more. */
    long draw(RandomGenerator random) {
        if (even) {
            long bits = random.nextLong();
            return pair(((bits >>> 32) * size) >>> 32, ((bits & 0xFFFFFFFFL) * (size - 1)) >>> 32);
        }
        int first = table.draw(random.nextLong());
        for (int draws = 0; draws < MOST_DRAWS; draws++) {
            int second = table.draw(random.nextLong());
            if (second != first) {
                return ((long) first << 32) | second;
            }
        }
        // One outweighs all others so far that the partner does not matter.
        return pair(first, ((random.nextLong() >>> 32) * (size - 1)) >>> 32);
    }

    /** The other is counted without the first. */
    private static long pair(long first, long other) {
        return (first << 32) | (other < first ? other : other + 1);
    }
}
