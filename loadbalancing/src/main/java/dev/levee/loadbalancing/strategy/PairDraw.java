package dev.levee.loadbalancing.strategy;

import java.util.random.RandomGenerator;

/** Draws two different indices in proportion to weight. */
final class PairDraw {
    /** How often the second is drawn again because it was the first. */
    private static final int MAX_DRAWS = 8;

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
        long bits = random.nextLong();
        int first = drawFirst(bits);
        return (long) first << 32 | drawSecond(first, bits, random);
    }

    /** The first alone, from a random number whose lower half is left for {@link #drawSecond(int, long, RandomGenerator)}. */
    int drawFirst(long bits) {
        return even ? (int) (((bits >>> 32) * size) >>> 32) : table.draw(bits);
    }

    /** Another than the first. */
    int drawSecond(int first, long bits, RandomGenerator random) {
        if (even) {
            return other(first, bits & 0xFFFFFFFFL);
        }
        for (int draws = 0; draws < MAX_DRAWS; draws++) {
            int second = table.draw(random.nextLong());
            if (second != first) {
                return second;
            }
        }
        // One outweighs all others so far that the partner does not matter.
        return other(first, random.nextLong() >>> 32);
    }

    /** One of the others, counted without the first. */
    private int other(int first, long bits) {
        int other = (int) ((bits * (size - 1)) >>> 32);
        return other < first ? other : other + 1;
    }
}
