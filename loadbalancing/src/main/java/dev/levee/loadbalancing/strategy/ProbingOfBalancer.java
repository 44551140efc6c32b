package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import org.jspecify.annotations.Nullable;

/** A {@link ProbingStrategy} with the pool of its balancer, which outlives the sets. */
final class ProbingOfBalancer implements BalancingStrategy, Measured {
    private final ProbingStrategy blueprint;
    private final ProbingConfig config;
    private final NanoClock clock;
    private final ProbePool pool;

    /** Null if servers are not probed. */
    private final @Nullable Prober prober;

    ProbingOfBalancer(ProbingStrategy blueprint, ProbingConfig config, Environment environment) {
        this.blueprint = blueprint;
        this.config = config;
        this.clock = environment.clock();
        this.pool = new ProbePool(config, environment.random());
        this.prober = config.probe() == null ? null : new Prober(config, config.probe(), pool, environment);
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return blueprint.forBalancer(environment);
    }

    @Override
    public LoadTracker newTracker(Endpoint<?> endpoint) {
        return pool.newEndpoint(endpoint);
    }

    @Override
    public Picker over(Candidates candidates) {
        Picker twoChoices = TwoChoicesStrategy.INSTANCE.over(candidates);
        if (candidates.size() == 1) {
            return twoChoices;
        }
        pool.size(candidates.size());
        return new ProbingPicker(candidates, twoChoices, pool, prober, clock, config);
    }

    @Override
    public boolean usesKey() {
        return blueprint.usesKey();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        String name = toString();
        if (prober != null) {
            sink.value(name, StrategyMetrics.PROBING_SENT, (double) prober.sent());
            sink.value(name, StrategyMetrics.PROBING_FAILED, (double) prober.failed());
            sink.value(name, StrategyMetrics.PROBING_IN_FLIGHT, prober.inFlight());
        }
        sink.value(name, StrategyMetrics.PROBING_ANSWERS, pool.fresh(clock.nanoTime()));
        sink.value(name, StrategyMetrics.PROBING_HOT_ABOVE, pool.hottestCold());
    }

    @Override
    public String toString() {
        return blueprint.toString();
    }
}
