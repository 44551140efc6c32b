package dev.levee.benchmarks;

import com.google.common.hash.Hashing;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.JumpHash;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code hash.jump1000}: the bucket of a hash value among a thousand by jump hash.
 *
 * <pre>benchmarks/compare '^hash.jump1000$'</pre>
 */
public class HashJump1000 {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final ConsistentHash hash = JumpHash.of(LeveeBalancers.members(1_000));
    }

    @Benchmark
    public int levee(LeveeState state, Keys keys) {
        return state.hash.indexOfHash(keys.hash());
    }

    @Benchmark
    public int guava(Keys keys) {
        return Hashing.consistentHash(keys.hash(), 1_000);
    }
}
