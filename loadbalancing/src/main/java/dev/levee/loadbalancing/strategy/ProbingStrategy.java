package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;

/**
 * Prequal: picks the endpoint that reported the lowest load in a recent load probe. See ADR 43.
 *
 * <p>This is the blueprint; each balancer gets a {@link ProbingOfBalancer} with a {@link ProbePool}. A picker that the
 * blueprint makes picks by two choices.
 */
final class ProbingStrategy implements BalancingStrategy {
    private final ProbingConfig config;

    ProbingStrategy(ProbingConfig config) {
        this.config = Require.nonNull("config", config);
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new ProbingOfBalancer(this, config, environment);
    }

    @Override
    public Picker over(Candidates candidates) {
        return TwoChoicesStrategy.INSTANCE.over(candidates);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public String toString() {
        return config.toString();
    }
}
