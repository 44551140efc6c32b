package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;

/** Reads the weights of a set, and draws by them. */
final class Weights {
    private Weights() {}

    /** Returns the weight of each candidate. */
    static double[] of(Candidates candidates) {
        double[] weights = new double[candidates.size()];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = candidates.weight(i);
        }
        return weights;
    }

    /** Returns the ramp of each candidate: the weights of strategies that ignore weights but not slow starts. */
    static double[] ramps(Candidates candidates) {
        double[] ramps = new double[candidates.size()];
        for (int i = 0; i < ramps.length; i++) {
            ramps[i] = candidates.ramp(i);
        }
        return ramps;
    }

    static boolean equal(double[] weights) {
        for (double weight : weights) {
            if (weight != weights[0]) {
                return false;
            }
        }
        return true;
    }

    /** Draws an eligible index in proportion to weight, without memory: O(n). Returns -1 if there is none. */
    static int draw(double[] weights, IntPredicate eligible, Candidates candidates) {
        double total = 0;
        int drawn = -1;
        for (int i = 0; i < weights.length; i++) {
            if (eligible.test(i)) {
                total += weights[i];
                if (drawn < 0 || candidates.random().nextDouble() * total < weights[i]) {
                    drawn = i;
                }
            }
        }
        return drawn;
    }
}
