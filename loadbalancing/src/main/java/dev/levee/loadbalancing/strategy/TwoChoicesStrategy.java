package dev.levee.loadbalancing.strategy;

/** Power of two choices: picks the less loaded of two different endpoints. See {@link TwoChoicesPicker}. */
enum TwoChoicesStrategy implements BalancingStrategy {
    INSTANCE;

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = Weights.of(candidates);
        return weights.length == 1
                ? new LeastConnectionsPicker(candidates, weights)
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
}
