package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a key at the endpoint that it was first sent to, for as long as that endpoint is there and the key is
 * remembered. See ADR 54.
 *
 * <p>Each balancer gets one with a {@link KeyMemory}, which outlives the sets. The blueprint has none: a picker that it
 * makes remembers for its own set only.
 */
final class StickyStrategy implements BalancingStrategy, Measured {
    static final int DEFAULT_KEYS = 1 << 16;

    private final BalancingStrategy blueprint;
    private final BalancingStrategy forNewKeys;
    private final int keys;

    /** That of the balancer; null in the blueprint. */
    private final @Nullable KeyMemory memory;

    StickyStrategy(BalancingStrategy forNewKeys, int keys) {
        this(Require.nonNull("forNewKeys", forNewKeys), forNewKeys, Require.range("keys", keys, 1, 1 << 24), null);
    }

    private StickyStrategy(
            BalancingStrategy blueprint, BalancingStrategy forNewKeys, int keys, @Nullable KeyMemory memory) {
        this.blueprint = blueprint;
        this.forNewKeys = forNewKeys;
        this.keys = keys;
        this.memory = memory;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new StickyStrategy(blueprint, blueprint.forBalancer(environment), keys, new KeyMemory(keys));
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
        return new StickyPicker(forNewKeys.over(candidates), candidates, memory == null ? new KeyMemory(keys) : memory);
    }

    @Override
    public String toString() {
        return "sticky, new keys by " + forNewKeys;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        if (forNewKeys instanceof Measured measured) {
            measured.measure(sink);
        }
    }
}
