package dev.levee.benchmarks;

import com.google.common.hash.Hashing;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.Maglev;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code hash.maglev}: the owner of a hash value by a Maglev table of 65537 places for a thousand members. The others
 * answer the same question in their ways: jump hash, and a ring of 160 points a member.
 *
 * <pre>benchmarks/compare '^hash.maglev$'</pre>
 */
public class HashMaglev {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final ConsistentHash table = Maglev.of(LeveeBalancers.members(1_000));
    }

    @Benchmark
    public int levee(LeveeState state, Keys keys) {
        return state.table.indexOfHash(keys.hash());
    }

    @Benchmark
    public int guava(Keys keys) {
        return Hashing.consistentHash(keys.hash(), 1_000);
    }

    @State(Scope.Benchmark)
    public static class TreeMapState {
        final TreeMapRing ring = new TreeMapRing(1_000, 160);
    }

    @Benchmark
    public int treemap(TreeMapState state, Keys keys) {
        return state.ring.member(keys.hash());
    }
}
