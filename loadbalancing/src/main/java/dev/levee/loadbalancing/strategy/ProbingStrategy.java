package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.loadbalancing.discovery.Endpoint;
import org.jspecify.annotations.Nullable;

/** The strategy that asks servers how busy they are; a bound one belongs to one balancer and has its pool. */
final class ProbingStrategy implements BalancingStrategy, Measured {
    private final ProbingConfig config;
    private final @Nullable Environment environment;
    private final @Nullable ProbePool pool;
    private final @Nullable Prober prober;

    ProbingStrategy(ProbingConfig config) {
        this.config = config;
        this.environment = null;
        this.pool = null;
        this.prober = null;
    }

    private ProbingStrategy(ProbingConfig config, Environment environment) {
        this.config = config;
        this.environment = environment;
        this.pool = new ProbePool(config, environment.random());
        this.prober = config.probe() == null ? null : new Prober(config, config.probe(), pool, environment);
    }

    @Override
    public BalancingStrategy forBalancer(Environment balancers) {
        return new ProbingStrategy(config, balancers);
    }

    @Override
    public @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return pool == null ? null : pool.newEndpoint(endpoint);
    }

    @Override
    public Picker over(Candidates candidates) {
        Picker twoChoices = TwoChoicesStrategy.INSTANCE.over(candidates);
        if (pool == null || environment == null || candidates.size() == 1) {
            return twoChoices;
        }
        pool.size(candidates.size());
        return new ProbingPicker(candidates, twoChoices, pool, prober, environment.clock(), config);
    }

    @Override
    public boolean usesKey() {
        return false;
    }

    @Override
    public void measure(Sink sink) {
        String name = toString();
        if (prober != null) {
            sink.value(name, "probing.sent", (double) prober.sent());
            sink.value(name, "probing.failed", (double) prober.failed());
            sink.value(name, "probing.in.flight", prober.underWay());
        }
        if (pool != null && environment != null) {
            sink.value(name, "probing.answers", pool.fresh(environment.clock().nanoTime()));
            sink.value(name, "probing.hot.above", pool.hottestCold());
        }
    }

    @Override
    public String toString() {
        return config.toString();
    }
}
