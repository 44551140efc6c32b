package dev.levee.loadbalancing;

import java.util.function.IntPredicate;

/** One after the other. */
enum RoundRobin implements BalancingStrategy {
    INSTANCE;

    @Override
    public Picker over(Candidates candidates) {
        return new Turns(candidates, candidates.size());
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "round robin";
    }

    private record Turns(Candidates candidates, int size) implements Picker {
        @Override
        public int pick(long hash) {
            return (int) Long.remainderUnsigned(candidates.tick(), size);
        }

        /** Takes further turns, so that no neighbour gets the calls of an endpoint that is down on top of its own. */
        @Override
        public int pick(long hash, IntPredicate eligible) {
            int index = pick(hash);
            for (int turns = 1; turns < size && !eligible.test(index); turns++) {
                index = pick(hash);
            }
            return index;
        }
    }
}
