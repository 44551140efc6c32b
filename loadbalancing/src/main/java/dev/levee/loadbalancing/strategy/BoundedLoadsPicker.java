package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.ConsistentHash;
import java.util.function.IntPredicate;

/** Picks the owner of a key, or the next in the order of the key that is not full. */
final class BoundedLoadsPicker implements BalancingStrategy.Picker {
    private final ConsistentHash owners;
    private final LoadBound bound;
    private final CallCounts counts;
    private final IntPredicate room;

    BoundedLoadsPicker(ConsistentHash owners, LoadBound bound, CallCounts counts) {
        this.owners = owners;
        this.bound = bound;
        this.counts = counts;
        this.room = this::hasRoom;
    }

    private boolean hasRoom(int index) {
        return counts.calls(index) < bound.capacity(index, counts.calls() + 1);
    }

    @Override
    public int pick(long hash) {
        int owner = owners.indexOfHash(hash);
        if (owner < 0 || hasRoom(owner)) {
            return picked(owner);
        }
        int next = owners.indexOfHash(hash, room);
        return picked(next < 0 ? owner : next); // below 0 only while calls come and go at this moment
    }

    private int picked(int index) {
        if (index >= 0) {
            counts.picked(index);
        }
        return index;
    }

    @Override
    public int pick(long hash, IntPredicate eligible) {
        int index = owners.indexOfHash(hash, i -> eligible.test(i) && hasRoom(i));
        return picked(index < 0 ? pickAmong(hash, eligible) : index);
    }

    /**
     * Picks the first member with room, as if the eligible ones were the whole set; for when they are full, and others
     * have room but are left out.
     */
    private int pickAmong(long hash, IntPredicate eligible) {
        long calls = 1;
        double weight = 0;
        for (int i = 0; i < bound.size(); i++) {
            if (eligible.test(i)) {
                calls += counts.calls(i);
                weight += bound.weight(i);
            }
        }
        long all = calls;
        double ofWeight = weight;
        int index =
                owners.indexOfHash(hash, i -> eligible.test(i) && counts.calls(i) < bound.capacity(i, all, ofWeight));
        if (index < 0) {
            index = owners.indexOfHash(hash, eligible); // calls came while they were counted
        }
        if (index >= 0) {
            counts.admitOneMore(index);
        }
        return index;
    }

    @Override
    public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        int owner = owners.indexOfHash(hash, eligible);
        int index = owners.indexOfHash(hash, i -> eligible.test(i) && hasRoom(i));
        if (index < 0) {
            index = owner;
        }
        if (index < 0) {
            return new BalancingStrategy.Choice(index, "");
        }
        long all = counts.calls() + 1;
        String reason = counts.calls(index) + " of " + bound.capacity(index, all) + " places taken";
        return new BalancingStrategy.Choice(
                index,
                index == owner
                        ? "owner of hash " + Long.toHexString(hash) + ": " + reason
                        : "next for hash " + Long.toHexString(hash) + ", whose owner "
                                + owners.members().get(owner).id() + " is full: " + reason);
    }
}
