package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.RendezvousHash;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** A key stays where it was first sent, for as long as that endpoint is there and the key is remembered. */
final class StickyStrategy implements BalancingStrategy, Measured {
    static final int DEFAULT_KEYS = 1 << 16;

    private final BalancingStrategy forNewKeys;
    private final int keys;
    private final @Nullable KeyMemory memory; // of the balancer

    StickyStrategy(BalancingStrategy forNewKeys, int keys, @Nullable KeyMemory memory) {
        this.forNewKeys = forNewKeys;
        this.keys = keys;
        this.memory = memory;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new StickyStrategy(forNewKeys.forBalancer(environment), keys, new KeyMemory(keys));
    }

    @Override
    public @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return forNewKeys.newTracker(endpoint);
    }

    @Override
    public long hash(CharSequence key) {
        return forNewKeys.hash(key);
    }

    @Override
    public Picker over(Candidates candidates) {
        return new Remembering(forNewKeys.over(candidates), candidates, memory == null ? new KeyMemory(keys) : memory);
    }

    @Override
    public String toString() {
        return "sticky, new keys by " + forNewKeys;
    }

    @Override
    public void measure(Sink sink) {
        if (forNewKeys instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    private static final class Remembering implements Picker {
        private final Picker forNewKeys;
        private final ConsistentHash deputies;
        private final KeyMemory memory;
        private final Map<String, Integer> indices = new HashMap<>();

        Remembering(Picker forNewKeys, Candidates candidates, KeyMemory memory) {
            this.forNewKeys = forNewKeys;
            this.deputies = HashStrategy.hash(RendezvousHash::of, candidates);
            this.memory = memory;
            for (int i = 0; i < candidates.size(); i++) {
                indices.put(candidates.endpoint(i).id(), i);
            }
        }

        /** Where a key is at home; -1 if it is new, or its home has gone. */
        private int home(long hash) {
            String id = memory.get(hash);
            Integer index = id == null ? null : indices.get(id);
            return index == null ? -1 : index;
        }

        /** Notes where a new key goes, unless another call with the same key was quicker. */
        private int settle(long hash, int index) {
            if (index < 0) {
                return index;
            }
            String id = deputies.members().get(index).id();
            Integer settled = indices.get(memory.settle(hash, id, indices.keySet()));
            return settled == null ? index : settled;
        }

        @Override
        public int pick(long hash) {
            int home = home(hash);
            return home >= 0 ? home : settle(hash, forNewKeys.pick(hash));
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            int home = home(hash);
            if (home >= 0) {
                // The same deputy for as long as the home refuses, and the home remains the home.
                return eligible.test(home) ? home : deputies.indexOfHash(hash, eligible);
            }
            int index = forNewKeys.pick(hash, eligible);
            return index >= 0 && eligible.test(index) ? settle(hash, index) : deputies.indexOfHash(hash, eligible);
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            int home = home(hash);
            if (home < 0) {
                Choice choice = forNewKeys.explain(hash, eligible);
                return new Choice(choice.index(), "a new key: " + choice.reason());
            }
            return eligible.test(home)
                    ? new Choice(home, "the key was sent there before")
                    : new Choice(
                            deputies.indexOfHash(hash, eligible),
                            "deputy of " + deputies.members().get(home).id() + ", where the key was sent before");
        }
    }
}
