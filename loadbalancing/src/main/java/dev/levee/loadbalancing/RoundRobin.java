package dev.levee.loadbalancing;

/** One after the other. */
enum RoundRobin implements BalancingStrategy {
    INSTANCE;

    /** Whoever is refused takes the next turn, so that no neighbour gets the calls of a dead endpoint on top of its own. */
    @Override
    public Picker over(Candidates candidates) {
        Around around = new Around(candidates.size());
        return hash -> around.index(candidates.tick());
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
