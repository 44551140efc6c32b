package dev.levee.loadbalancing.strategy;

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
}
