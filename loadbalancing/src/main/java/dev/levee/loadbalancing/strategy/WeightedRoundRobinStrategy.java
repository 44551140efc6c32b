package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** One after the other in proportion to weight: a sequence computed beforehand where it is short, else the golden ratio. */
enum WeightedRoundRobinStrategy implements BalancingStrategy {
    INSTANCE;

    /** The longest sequence that is kept. */
    private static final int MAX_TURNS = 1 << 16;

    /** The most steps that computing a sequence may take: a few milliseconds. */
    private static final int MAX_STEPS = 1 << 20;

    /** The most by which weights are multiplied to make them whole. */
    private static final double MAX_DECIMALS = 1e6;

    /** How many further turns are taken for an endpoint that refused, before one is drawn at random. */
    private static final int MAX_RETURNS = 16;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        // Weights that a slow start has made equal are equal: round robin would look at the ramps again.
        return Weights.equal(weights) ? RoundRobinStrategy.evenly(candidates) : over(candidates, weights);
    }

    /** By any weights that are not all equal. */
    static Picker over(Candidates candidates, double[] weights) {
        int[] sequence = smoothSequence(weights);
        return sequence.length > 0
                ? new Sequence(candidates, weights, sequence)
                : new GoldenRatio(candidates, weights, bounds(weights));
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    /**
     * The turns of one period of smooth weighted round robin; none if the weights are not whole, not even after moving the decimal
     * point, or the period is long.
     */
    static int[] smoothSequence(double[] numbers) {
        double[] weights = whole(numbers);
        long divisor = 0;
        for (double weight : weights) {
            divisor = greatestCommonDivisor((long) weight, divisor);
        }
        if (divisor == 0) {
            return new int[0];
        }
        double period = Arrays.stream(weights).sum() / divisor;
        if (period > MAX_TURNS || period * weights.length > MAX_STEPS) {
            return new int[0];
        }
        int[] sequence = new int[(int) period];
        long[] credit = new long[weights.length];
        for (int turn = 0; turn < sequence.length; turn++) {
            int most = 0;
            for (int i = 0; i < credit.length; i++) {
                credit[i] += (long) weights[i] / divisor;
                if (credit[i] > credit[most]) {
                    most = i;
                }
            }
            credit[most] -= sequence.length;
            sequence[turn] = most;
        }
        return sequence;
    }

    /** The weights times a power of ten that makes all of them whole, such as 1 and 7 for 0.1 and 0.7; none if there is none. */
    private static double[] whole(double[] weights) {
        for (double factor = 1; factor <= MAX_DECIMALS; factor *= 10) {
            double[] whole = new double[weights.length];
            boolean fits = true;
            for (int i = 0; i < weights.length && fits; i++) {
                whole[i] = Math.rint(weights[i] * factor);
                // But for the rounding of decimal fractions.
                fits = whole[i] >= 1 && Math.abs(whole[i] - weights[i] * factor) <= whole[i] * 0x1p-51;
            }
            if (fits) {
                return whole;
            }
        }
        return new double[0];
    }

    private static long greatestCommonDivisor(long a, long b) {
        long x = a;
        long y = b;
        while (y != 0) {
            long rest = x % y;
            x = y;
            y = rest;
        }
        return x;
    }

    /** Cuts the unsigned longs into one stretch for each endpoint: where each ends, exclusively; the last goes to the end. */
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
    public String toString() {
        return "weighted round robin";
    }

    /** A picker that takes further turns when one is refused. */
    private abstract static class StripedSequence implements Picker {
        final Candidates candidates;
        private final double[] weights;

        StripedSequence(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
        }

        @Override
        public final int pick(long hash, IntPredicate eligible) {
            for (int turns = 0; turns < MAX_RETURNS; turns++) {
                int index = pick(hash);
                if (eligible.test(index)) {
                    return index;
                }
            }
            return Weights.draw(weights, eligible, candidates);
        }

        @Override
        public final Choice explain(long hash, IntPredicate eligible) {
            int index = pick(hash, eligible);
            return new Choice(
                    index,
                    index < 0
                            ? "none is left"
                            : "its turn, for weight " + HumanReadable.number(weights[index]) + " of "
                                    + HumanReadable.number(
                                            Arrays.stream(weights).sum()));
        }
    }

    private static final class Sequence extends StripedSequence {
        private final int[] turns;
        private final CircularIndex around;

        Sequence(Candidates candidates, double[] weights, int[] turns) {
            super(candidates, weights);
            this.turns = turns;
            this.around = new CircularIndex(turns.length);
        }

        @Override
        public int pick(long hash) {
            return turns[around.index(candidates.tick())];
        }
    }

    private static final class GoldenRatio extends StripedSequence {
        /** 2^64 divided by the golden ratio: odd, so that all multiples are different until the counter wraps. */
        private static final long STEP = 0x9E3779B97F4A7C15L;

        private final long[] bounds;

        GoldenRatio(Candidates candidates, double[] weights, long[] bounds) {
            super(candidates, weights);
            this.bounds = bounds;
        }

        @Override
        public int pick(long hash) {
            long place = candidates.tick() * STEP;
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
