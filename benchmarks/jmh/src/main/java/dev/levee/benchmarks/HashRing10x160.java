package dev.levee.benchmarks;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code hash.ring10x160}: the owner of a hash value on a ring of ten members with 160 points each.
 *
 * <pre>benchmarks/compare '^hash.ring10x160$'</pre>
 */
public class HashRing10x160 {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final ConsistentHash ring = HashRing.of(LeveeBalancers.members(10), 160);
    }

    @Benchmark
    public int levee(LeveeState state, Keys keys) {
        return state.ring.indexOfHash(keys.hash());
    }

    @State(Scope.Benchmark)
    public static class TreeMapState {
        final TreeMapRing ring = new TreeMapRing(10, 160);
    }

    @Benchmark
    public int treemap(TreeMapState state, Keys keys) {
        return state.ring.member(keys.hash());
    }
}
