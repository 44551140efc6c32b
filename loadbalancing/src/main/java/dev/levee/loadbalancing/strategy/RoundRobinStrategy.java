package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;

/** One after the other. */
enum RoundRobinStrategy implements BalancingStrategy {
    INSTANCE;

    /** Whoever is refused takes the next turn, so that no neighbour gets the calls of a dead endpoint on top of its own. */
    @Override
    public Picker over(Candidates candidates) {
        double[] ramps = Weights.ramps(candidates);
        return Weights.equal(ramps)
                ? evenly(candidates)
                : WeightedRoundRobinStrategy.over(candidates, ramps); // while some are not yet warm
    }

    static Picker evenly(Candidates candidates) {
        return new InTurn(candidates);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "round robin";
    }

    private static final class InTurn implements Picker {
        private final Candidates candidates;
        private final CircularIndex around;

        InTurn(Candidates candidates) {
            this.candidates = candidates;
            this.around = new CircularIndex(candidates.size());
        }

        @Override
        public int pick(long hash) {
            return around.index(candidates.tick());
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            return new Choice(pick(hash), "its turn, one of " + candidates.size());
        }
    }
}
