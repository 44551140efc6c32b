package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;

/** Least connections: picks the endpoint with the fewest calls in flight for its weight. */
enum LeastConnectionsStrategy implements BalancingStrategy {
    INSTANCE;

    @Override
    public Picker over(Candidates candidates) {
        return new LeastConnectionsPicker(candidates, Weights.of(candidates));
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "least connections";
    }

    /**
     * Reads the calls in flight of all candidates and picks the least loaded; draws among equals in proportion to
     * weight.
     */
    static final class LeastConnectionsPicker implements BalancingStrategy.Picker {
        /** Of a linear congruential generator (Donald E. Knuth, MMIX). */
        private static final long MULTIPLIER = 6364136223846793005L;

        private final Candidates candidates;
        private final double[] weights;

        LeastConnectionsPicker(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
        }

        @Override
        public int pick(long hash) {
            return pick(hash, index -> true);
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            int least = -1;
            double load = Double.POSITIVE_INFINITY;
            long random = 0;
            double drawnFrom = 0; // the weights of those that share the least load
            for (int i = 0; i < weights.length; i++) {
                if (!eligible.test(i)) {
                    continue;
                }
                double own = candidates.inFlight(i) / weights[i];
                if (own < load || least < 0) {
                    least = i;
                    load = own;
                    drawnFrom = weights[i];
                } else if (own == load) {
                    // One number from the environment for all draws of a pick, stirred for each.
                    random = (random == 0 ? candidates.random().nextLong() : random) * MULTIPLIER + 1;
                    drawnFrom += weights[i];
                    if ((random >>> 11) * 0x1p-53 * drawnFrom < weights[i]) {
                        least = i;
                    }
                }
            }
            return least;
        }

        @Override
        public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
            int index = pick(hash, eligible);
            return new BalancingStrategy.Choice(
                    index,
                    index < 0
                            ? "none is left"
                            : describe(index) + ", the least of " + weights.length + " for its weight");
        }

        /** Returns the endpoint and its load, in words. */
        String describe(int index) {
            return candidates.endpoint(index).id() + " has " + candidates.inFlight(index) + " in flight"
                    + (weights[index] == 1 ? "" : " for weight " + HumanReadable.number(weights[index]));
        }
    }
}
