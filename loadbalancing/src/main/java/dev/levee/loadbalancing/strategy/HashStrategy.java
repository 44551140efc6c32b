package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.RendezvousHash;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.ToLongFunction;

/** Picks the owner of the key by a consistent hash. See ADR 49. */
record HashStrategy(
        String text,
        Function<? super List<Member>, ? extends ConsistentHash> over,
        ToLongFunction<? super CharSequence> keys)
        implements BalancingStrategy {
    static final HashStrategy RENDEZVOUS = new HashStrategy("rendezvous", RendezvousHash::of, XxHash64::hash);
    static final HashStrategy IP_HASH = new HashStrategy("ip hash", RendezvousHash::of, IpHash::hash);
    static final HashStrategy RING = new HashStrategy("consistent hash", HashRing::of, XxHash64::hash);

    /** Makes the hash over the candidates, whose indices are those of the members. */
    static ConsistentHash hash(Function<? super List<Member>, ? extends ConsistentHash> over, Candidates candidates) {
        List<Member> members = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            members.add(new Member(candidates.endpoint(i).id(), candidates.weight(i)));
        }
        return over.apply(members);
    }

    @Override
    public Picker over(Candidates candidates) {
        return new HashPicker(hash(over, candidates));
    }

    @Override
    public long hash(CharSequence key) {
        return keys.applyAsLong(key);
    }

    @Override
    public String toString() {
        return text;
    }

    private record HashPicker(ConsistentHash owners) implements Picker {
        @Override
        public int pick(long hash) {
            return owners.indexOfHash(hash);
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            return owners.indexOfHash(hash, eligible);
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            int owner = owners.indexOfHash(hash);
            int index = owners.indexOfHash(hash, eligible);
            String key = "hash " + Long.toHexString(hash) + " in the " + owners;
            return new Choice(
                    index,
                    index == owner
                            ? "owner of " + key
                            : "next for " + key + ", whose owner "
                                    + owners.members().get(owner).id() + " is left out");
        }
    }
}
