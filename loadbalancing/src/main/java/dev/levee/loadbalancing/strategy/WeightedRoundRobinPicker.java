package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Gives turns by weight; takes further turns when an endpoint is not eligible, and at last draws among all that are.
 */
abstract class WeightedRoundRobinPicker implements BalancingStrategy.Picker {
    /** The number of turns that are taken before one is drawn at random. */
    private static final int MAX_RETURNS = 16;

    final Candidates candidates;
    private final double[] weights;

    private WeightedRoundRobinPicker(Candidates candidates, double[] weights) {
        this.candidates = candidates;
        this.weights = weights;
    }

    @Override
    public final int pick(long hash, IntPredicate eligible) {
        int index = Redraw.index(this, hash, eligible, MAX_RETURNS);
        return index >= 0 ? index : Weights.draw(weights, eligible, candidates);
    }

    @Override
    public final BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        int index = pick(hash, eligible);
        return new BalancingStrategy.Choice(
                index,
                index < 0
                        ? "none is left"
                        : "its turn, for weight " + HumanReadable.number(weights[index]) + " of "
                                + HumanReadable.number(Arrays.stream(weights).sum()));
    }

    /** Reads the turns of one period. */
    static final class BySequence extends WeightedRoundRobinPicker {
        private final int[] sequence;
        private final CircularIndex turns;

        BySequence(Candidates candidates, double[] weights, int[] sequence) {
            super(candidates, weights);
            this.sequence = sequence;
            this.turns = new CircularIndex(sequence.length);
        }

        @Override
        public int pick(long hash) {
            return sequence[turns.index(candidates.nextSequence())];
        }
    }

    /**
     * Cuts the unsigned longs into one stretch for each endpoint, as long as its weight, and lets turn k stand at k
     * times the golden ratio on them. Multiples of the golden ratio are spread as evenly as any sequence can be (the
     * three-distance theorem; Donald E. Knuth, The Art of Computer Programming 3, 6.4), so each share is kept to within
     * a few calls, for any weights.
     */
    static final class ByGoldenRatio extends WeightedRoundRobinPicker {
        /** 2^64 divided by the golden ratio: odd, so that all multiples are different until the counter wraps. */
        private static final long STEP = 0x9E3779B97F4A7C15L;

        private final long[] bounds;

        ByGoldenRatio(Candidates candidates, double[] weights) {
            super(candidates, weights);
            this.bounds = bounds(weights);
        }

        /** Returns where each stretch ends, exclusively; the last one goes to the end. */
        private static long[] bounds(double[] weights) {
            double total = Arrays.stream(weights).sum();
            long[] bounds = new long[weights.length - 1];
            double sum = 0;
            for (int i = 0; i < bounds.length; i++) {
                sum += weights[i];
                double share = Math.min(sum / total, 1.0);
                // In two halves, for a double of 2^63 and more does not fit a long.
                long half = (long) (share * 0x1p63);
                bounds[i] = half == Long.MAX_VALUE ? -1L : half << 1;
            }
            return bounds;
        }

        @Override
        public int pick(long hash) {
            long place = candidates.nextSequence() * STEP;
            int low = 0;
            int high = bounds.length;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (Long.compareUnsigned(place, bounds[middle]) < 0) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return low;
        }
    }
}
