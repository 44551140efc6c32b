package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.RendezvousHash;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

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
    /** Those that take new sessions; null if all do, or none. */
    private final @Nullable BitSet forNew;
    /** Where new keys are bounded, the places of each; null if they are not. */
    private final CallLedger.@Nullable Seat @Nullable [] seats;

    StickyPicker(BalancingStrategy.Picker forNewKeys, Candidates candidates, KeyMemory memory) {
        this.forNewKeys = forNewKeys;
        this.deputies = HashStrategy.hash(RendezvousHash::of, candidates);
        this.memory = memory;
        BitSet taking = new BitSet(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            indices.put(candidates.endpoint(i).id(), i);
            taking.set(i, candidates.endpoint(i).takesNewSessions());
        }
        this.forNew = taking.isEmpty() || taking.cardinality() == candidates.size() ? null : taking;
        this.seats = seats(candidates);
    }

    private static CallLedger.@Nullable Seat @Nullable [] seats(Candidates candidates) {
        CallLedger.@Nullable Seat[] seats = new CallLedger.Seat[candidates.size()];
        boolean any = false;
        for (int i = 0; i < seats.length; i++) {
            if (candidates.tracker(i) instanceof CallLedger.Seat seat) {
                seats[i] = seat;
                any = true;
            }
        }
        return any ? seats : null;
    }

    /** Returns an endpoint that a known key goes to, however many calls are there: a bound is for new keys. */
    private int beyondBound(int index) {
        CallLedger.Seat seat = seats == null || index < 0 ? null : seats[index];
        if (seat != null) {
            seat.admitBeyondBound();
        }
        return index;
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
        return home >= 0
                ? beyondBound(home)
                : forNew == null ? settle(hash, forNewKeys.pick(hash)) : pick(hash, index -> true);
    }

    @Override
    public int pick(long hash, long nowNanos) {
        int home = home(hash);
        return home >= 0
                ? beyondBound(home)
                : forNew == null ? settle(hash, forNewKeys.pick(hash, nowNanos)) : pick(hash, index -> true);
    }

    @Override
    public int pick(long hash, IntPredicate eligible) {
        int home = home(hash);
        if (home >= 0) {
            // The same deputy for as long as the home refuses, and the home remains the home.
            return beyondBound(eligible.test(home) ? home : deputy(hash, eligible));
        }
        BitSet taking = forNew;
        if (taking != null) {
            IntPredicate open = index -> taking.get(index) && eligible.test(index);
            int index = forNewKeys.pick(hash, open);
            if (index >= 0 && open.test(index)) {
                return settle(hash, index);
            }
            int next = deputies.indexOfHash(hash, open);
            if (next >= 0) {
                return settle(hash, next);
            }
        }
        int index = forNewKeys.pick(hash, eligible);
        return index >= 0 && eligible.test(index) ? settle(hash, index) : deputies.indexOfHash(hash, eligible);
    }

    /** Returns the deputy of a home, one that takes new sessions if there is one. */
    private int deputy(long hash, IntPredicate eligible) {
        BitSet taking = forNew;
        int deputy =
                taking == null ? -1 : deputies.indexOfHash(hash, index -> taking.get(index) && eligible.test(index));
        return deputy >= 0 ? deputy : deputies.indexOfHash(hash, eligible);
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
