package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;

/** The less loaded of two different ones. */
enum TwoChoicesStrategy implements BalancingStrategy {
    INSTANCE;

    /** How often a pair is drawn again because one of it is not eligible, before all are looked at. */
    private static final int MAX_DRAWS = 8;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        return weights.length == 1
                ? new LeastConnectionsStrategy.Scan(candidates, weights)
                : new Pair(candidates, weights);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "power of two choices";
    }

    private static final class Pair implements Picker {
        private final Candidates candidates;
        private final double[] weights;
        private final PairDraw pairs;
        private final LeastConnectionsStrategy.Scan scan;

        Pair(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
            this.pairs = PairDraw.of(weights);
            this.scan = new LeastConnectionsStrategy.Scan(candidates, weights);
        }

        @Override
        public int pick(long hash) {
            RandomGenerator random = candidates.random();
            long bits = random.nextLong();
            int first = pairs.drawFirst(bits);
            int calls = candidates.inFlight(first);
            // Beside an idle one nobody has to look at the second.
            return calls <= 0 ? first : lessLoaded(first, calls, pairs.drawSecond(first, bits, random));
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            for (int draws = 0; draws < MAX_DRAWS; draws++) {
                long pair = pairs.draw(candidates.random());
                int first = PairDraw.first(pair);
                int second = PairDraw.second(pair);
                if (eligible.test(first) && eligible.test(second)) {
                    return lessLoaded(first, candidates.inFlight(first), second);
                }
            }
            return scan.pick(hash, eligible);
        }

        @Override
        public final Choice explain(long hash, IntPredicate eligible) {
            for (int draws = 0; draws < MAX_DRAWS; draws++) {
                long pair = pairs.draw(candidates.random());
                int first = PairDraw.first(pair);
                int second = PairDraw.second(pair);
                if (eligible.test(first) && eligible.test(second)) {
                    int picked = lessLoaded(first, candidates.inFlight(first), second);
                    return new Choice(
                            picked, scan.text(picked) + ", against " + scan.text(picked == first ? second : first));
                }
            }
            return scan.explain(hash, eligible);
        }

        /** Of equals the first, which was drawn in proportion to weight. */
        private int lessLoaded(int first, int calls, int second) {
            return candidates.inFlight(second) * weights[first] < calls * weights[second] ? second : first;
        }
    }
}
