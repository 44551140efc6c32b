package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.RendezvousHash;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Picks the endpoint that a key was sent to before, its home; for a new key the one that another picker picks. While
 * the home is not eligible its deputy takes the calls, which is the owner of the key by a rendezvous hash of those that
 * are.
 */
final class StickyPicker implements BalancingStrategy.Picker {
    private final BalancingStrategy.Picker forNewKeys;
    private final ConsistentHash deputies;
    private final KeyMemory memory;
    private final Map<String, Integer> indices = new HashMap<>();

    StickyPicker(BalancingStrategy.Picker forNewKeys, Candidates candidates, KeyMemory memory) {
        this.forNewKeys = forNewKeys;
        this.deputies = HashStrategy.hash(RendezvousHash::of, candidates);
        this.memory = memory;
        for (int i = 0; i < candidates.size(); i++) {
            indices.put(candidates.endpoint(i).id(), i);
        }
    }

    /** Returns the home of a key; -1 if the key is new, or its home has left. */
    private int home(long hash) {
        String id = memory.get(hash);
        Integer index = id == null ? null : indices.get(id);
        return index == null ? -1 : index;
    }

    /** Makes an endpoint the home of a new key, unless another call with the same key came first. Returns the home. */
    private int settle(long hash, int index) {
        if (index < 0) {
            return index;
        }
        String id = deputies.members().get(index).id();
        Integer settled = indices.get(memory.assign(hash, id, indices.keySet()));
        return settled == null ? index : settled;
    }

    @Override
    public int pick(long hash) {
        int home = home(hash);
        return home >= 0 ? home : settle(hash, forNewKeys.pick(hash));
    }

    @Override
    public int pick(long hash, long nowNanos) {
        int home = home(hash);
        return home >= 0 ? home : settle(hash, forNewKeys.pick(hash, nowNanos));
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
    public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        int home = home(hash);
        if (home < 0) {
            BalancingStrategy.Choice choice = forNewKeys.explain(hash, eligible);
            return new BalancingStrategy.Choice(choice.index(), "a new key: " + choice.reason());
        }
        return eligible.test(home)
                ? new BalancingStrategy.Choice(home, "the key was sent there before")
                : new BalancingStrategy.Choice(
                        deputies.indexOfHash(hash, eligible),
                        "deputy of " + deputies.members().get(home).id() + ", where the key was sent before");
    }
}
