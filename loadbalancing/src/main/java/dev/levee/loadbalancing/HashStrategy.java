package dev.levee.loadbalancing;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.Member;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;

/** The owner of the key by a consistent hash. */
record HashStrategy(Function<? super List<Member>, ? extends ConsistentHash> hash) implements BalancingStrategy {
    @Override
    public Picker over(Candidates candidates) {
        List<Member> members = new ArrayList<>(candidates.size());
        for (int i = 0; i < candidates.size(); i++) {
            members.add(new Member(candidates.endpoint(i).id(), candidates.weight(i)));
        }
        return new Owner(hash.apply(members));
    }

    @Override
    public String toString() {
        return "consistent hash";
    }

    private record Owner(ConsistentHash owners) implements Picker {
        @Override
        public int pick(long hash) {
            return owners.indexOfHash(hash);
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            return owners.indexOfHash(hash, eligible);
        }
    }
}
