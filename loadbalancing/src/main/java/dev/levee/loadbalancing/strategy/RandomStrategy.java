package dev.levee.loadbalancing.strategy;

/** Picks at random, evenly or by weight. */
enum RandomStrategy implements BalancingStrategy {
    EVEN("random") {
        @Override
        double[] weights(Candidates candidates) {
            return Weights.ramps(candidates);
        }
    },
    WEIGHTED("weighted random") {
        @Override
        double[] weights(Candidates candidates) {
            return Weights.of(candidates);
        }
    };

    private final String text;

    RandomStrategy(String text) {
        this.text = text;
    }

    abstract double[] weights(Candidates candidates);

    @Override
    public Picker over(Candidates candidates) {
        double[] weights = weights(candidates);
        return Weights.equal(weights)
                ? new RandomPicker.Even(candidates, weights)
                : new RandomPicker.ByWeight(candidates, weights);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return text;
    }
}
