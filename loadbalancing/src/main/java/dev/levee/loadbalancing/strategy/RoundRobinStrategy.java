package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;

/**
 * Round robin. An endpoint that refuses a call is replaced by the one whose turn is next, so that its neighbour does
 * not get the calls of a dead endpoint on top of its own. See {@link CircularIndex} and ADR 52.
 */
enum RoundRobinStrategy implements BalancingStrategy {
    INSTANCE;

    @Override
    public Picker over(Candidates candidates) {
        double[] ramps = Weights.ramps(candidates);
        return Weights.equal(ramps)
                ? evenly(candidates)
                : WeightedRoundRobinStrategy.over(candidates, ramps); // while some are not yet warm
    }

    static Picker evenly(Candidates candidates) {
        return new RoundRobinPicker(candidates);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "round robin";
    }

    private static final class RoundRobinPicker implements Picker {
        private final Candidates candidates;
        private final CircularIndex turns;

        RoundRobinPicker(Candidates candidates) {
            this.candidates = candidates;
            this.turns = new CircularIndex(candidates.size());
        }

        @Override
        public int pick(long hash) {
            return turns.index(candidates.nextSequence());
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            return new Choice(pick(hash), "its turn, one of " + candidates.size());
        }
    }
}
