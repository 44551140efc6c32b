package dev.levee.loadbalancing;

/** One after the other. */
enum RoundRobin implements BalancingStrategy {
    INSTANCE;

    /** Whoever is refused takes the next turn, so that no neighbour gets the calls of a dead endpoint on top of its own. */
    @Override
    public Picker over(Candidates candidates) {
        int size = candidates.size();
        return hash -> (int) Long.remainderUnsigned(candidates.tick(), size);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return "round robin";
    }
}
