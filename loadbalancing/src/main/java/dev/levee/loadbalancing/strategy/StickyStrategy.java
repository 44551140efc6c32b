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
 * <p>This is the blueprint; each balancer gets a {@link StickyOfBalancer} with a {@link KeyMemory}. A picker that the
 * blueprint makes remembers for its own set only.
 */
final class StickyStrategy implements BalancingStrategy, Measured {
    static final int DEFAULT_KEYS = 1 << 16;

    private final BalancingStrategy forNewKeys;
    private final int keys;

    StickyStrategy(BalancingStrategy forNewKeys, int keys) {
        this.forNewKeys = Require.nonNull("forNewKeys", forNewKeys);
        this.keys = Require.range("keys", keys, 1, 1 << 24);
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new StickyOfBalancer(this, forNewKeys.forBalancer(environment));
    }

    KeyMemory newMemory() {
        return new KeyMemory(keys);
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
        return new StickyPicker(forNewKeys.over(candidates), candidates, newMemory());
    }

    @Override
    public String toString() {
        return text(forNewKeys);
    }

    static String text(BalancingStrategy forNewKeys) {
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
