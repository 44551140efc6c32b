package dev.levee.loadbalancing.strategy;

import java.util.Arrays;

/**
 * Weighted round robin, evenly interleaved: a sequence that is computed beforehand where it is short, else the golden
 * ratio.
 *
 * <p>Whole weights, or weights that a power of ten makes whole, repeat after a period of their sum, divided by their
 * greatest common divisor. One period is computed as nginx's smooth weighted round robin does (Maxim Dounin, 2012): at
 * each turn every endpoint gets its weight as credit, the one with the most credit gets the turn, and pays the sum of
 * all weights for it:
 *
 * <pre>
 *   weights 5, 1, 1           turn   credit before   picked   credit after
 *                             1       5   1   1      a        -2   1   1
 *                             2       3   2   2      a        -4   2   2
 *                             3       1   3   3      b         1  -4   3
 *                             4       6  -3   4      a        -1  -3   4
 *                             5       4  -2   5      c         4  -2  -2
 *                             6       9  -1  -1      a         2  -1  -1
 *                             7       7   0   0      a         0   0   0
 * </pre>
 *
 * <p>Invariant: credits add up to 0 after each turn, and all are 0 after a period. The picks read the sequence by
 * {@link CircularIndex}, so it goes round without a seam. See ADR 52, and {@link WeightedRoundRobinPicker} for the
 * other weights.
 *
 * @see <a href="https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1">Smooth weighted round
 *     robin in nginx</a>
 */
enum WeightedRoundRobinStrategy implements BalancingStrategy {
    INSTANCE;

    /** The longest sequence that is kept. */
    private static final int MAX_TURNS = 1 << 16;

    /** The most steps that computing a sequence may take: a few milliseconds. */
    private static final int MAX_STEPS = 1 << 20;

    /** The most by which weights are multiplied to make them whole. */
    private static final double MAX_DECIMALS = 1e6;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        // Weights that a slow start has made equal are equal: round robin would read the ramps again.
        return Weights.equal(weights) ? RoundRobinStrategy.evenly(candidates) : over(candidates, weights);
    }

    /** Picks by any weights that are not all equal. */
    static Picker over(Candidates candidates, double[] weights) {
        int[] sequence = smoothSequence(weights);
        return sequence.length > 0
                ? new WeightedRoundRobinPicker.BySequence(candidates, weights, sequence)
                : new WeightedRoundRobinPicker.ByGoldenRatio(candidates, weights);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    /**
     * Returns the turns of one period of smooth weighted round robin; none if the weights are not whole, not even after
     * moving the decimal point, or the period is long.
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

    /**
     * Returns the weights times a power of ten that makes all of them whole, as 1 and 7 for 0.1 and 0.7; none if there
     * is none.
     */
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

    @Override
    public String toString() {
        return "weighted round robin";
    }
}
