package dev.levee.simulator;

import dev.levee.loadbalancing.BalancingStrategy;
import dev.levee.loadbalancing.Candidates;

/** Any of them, whatever their weights: the other bound. */
public enum RandomChoice implements BalancingStrategy {
    /** The strategy. */
    INSTANCE;

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public Picker over(Candidates candidates) {
        int size = candidates.size();
        return hash -> candidates.random().nextInt(size);
    }

    @Override
    public String toString() {
        return "random";
    }
}
