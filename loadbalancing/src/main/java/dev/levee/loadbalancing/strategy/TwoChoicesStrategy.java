package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;

/** Power of two choices: picks the less loaded of two different endpoints. See {@link TwoChoicesPicker}. */
enum TwoChoicesStrategy implements BalancingStrategy {
    INSTANCE;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        return weights.length == 1
                ? new LeastConnectionsStrategy.LeastConnectionsPicker(candidates, weights)
                : new TwoChoicesPicker(candidates, weights);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "power of two choices";
    }

    /**
     * Draws two different endpoints in proportion to weight and picks the one with fewer calls in flight for its weight
     * (Michael Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE Transactions on Parallel and
     * Distributed Systems 12, 2001). Beside an idle first one, the second is not drawn: none has fewer calls in flight
     * than 0. See ADR 52.
     *
     * <p>If pairs of eligible endpoints are rare, all endpoints are compared instead.
     *
     * @see <a href="https://doi.org/10.1109/71.963420">Mitzenmacher 2001</a>
     */
    static final class TwoChoicesPicker implements BalancingStrategy.Picker {
        private final Candidates candidates;
        private final double[] weights;
        private final PairDraw pairs;
        private final LeastConnectionsStrategy.LeastConnectionsPicker scan;

        /** For two candidates or more. */
        TwoChoicesPicker(Candidates candidates, double[] weights) {
            this.candidates = candidates;
            this.weights = weights;
            this.pairs = new PairDraw(weights);
            this.scan = new LeastConnectionsStrategy.LeastConnectionsPicker(candidates, weights);
        }

        @Override
        public int pick(long hash) {
            RandomGenerator random = candidates.random();
            long bits = random.nextLong();
            int first = pairs.drawFirst(bits);
            int calls = candidates.inFlight(first);
            return calls <= 0 ? first : lessLoaded(first, calls, pairs.drawSecond(first, bits, random));
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            long pair = Redraw.pair(pairs, candidates.random(), eligible);
            return pair < 0 ? scan.pick(hash, eligible) : lessLoaded(pair);
        }

        @Override
        public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
            long pair = Redraw.pair(pairs, candidates.random(), eligible);
            if (pair < 0) {
                return scan.explain(hash, eligible);
            }
            int first = PairDraw.first(pair);
            int picked = lessLoaded(pair);
            return new BalancingStrategy.Choice(
                    picked,
                    scan.describe(picked) + ", against "
                            + scan.describe(picked == first ? PairDraw.second(pair) : first));
        }

        private int lessLoaded(long pair) {
            int first = PairDraw.first(pair);
            return lessLoaded(first, candidates.inFlight(first), PairDraw.second(pair));
        }

        /** Of equals the first, which was drawn in proportion to weight. */
        private int lessLoaded(int first, int calls, int second) {
            return candidates.inFlight(second) * weights[first] < calls * weights[second] ? second : first;
        }
    }
}
