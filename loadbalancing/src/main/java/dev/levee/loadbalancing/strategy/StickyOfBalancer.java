package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import org.jspecify.annotations.Nullable;

/** A {@link StickyStrategy} with the memory of its balancer, which outlives the sets. */
final class StickyOfBalancer implements BalancingStrategy, Measured {
    private final StickyStrategy blueprint;
    private final BalancingStrategy forNewKeys;
    private final KeyMemory memory;

    StickyOfBalancer(StickyStrategy blueprint, BalancingStrategy forNewKeys) {
        this.blueprint = blueprint;
        this.forNewKeys = forNewKeys;
        this.memory = blueprint.newMemory();
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return blueprint.forBalancer(environment);
    }

    @Override
    public @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return forNewKeys.newTracker(endpoint);
    }

    @Override
    public boolean usesPriority() {
        return forNewKeys.usesPriority();
    }

    @Override
    public long hash(CharSequence key) {
        return forNewKeys.hash(key);
    }

    @Override
    public Picker over(Candidates candidates) {
        return new StickyPicker(forNewKeys.over(candidates), candidates, memory);
    }

    @Override
    public String toString() {
        return StickyStrategy.text(forNewKeys);
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        if (forNewKeys instanceof Measured measured) {
            measured.measure(sink);
        }
    }
}
