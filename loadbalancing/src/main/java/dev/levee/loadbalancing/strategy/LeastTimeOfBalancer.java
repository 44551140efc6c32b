package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.loadbalancing.discovery.Endpoint;

/** A {@link LeastTimeStrategy} with the clock of its balancer. */
final class LeastTimeOfBalancer implements BalancingStrategy {
    private final LeastTimeStrategy blueprint;
    private final NanoClock clock;

    LeastTimeOfBalancer(LeastTimeStrategy blueprint, NanoClock clock) {
        this.blueprint = blueprint;
        this.clock = clock;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return blueprint.forBalancer(environment);
    }

    @Override
    public LoadTracker newTracker(Endpoint<?> endpoint) {
        return blueprint.tracker(clock);
    }

    @Override
    public Picker over(Candidates candidates) {
        return new LeastTimePicker(candidates, blueprint.trackers(candidates, clock), clock);
    }

    @Override
    public boolean usesKey() {
        return blueprint.usesKey();
    }

    @Override
    public String toString() {
        return blueprint.toString();
    }
}
