package dev.levee.benchmarks;

import dev.levee.loadbalancing.hash.Maglev;
import dev.levee.loadbalancing.hash.Member;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code hash.maglev.build}: making a Maglev table of 65537 places for a thousand members; the other makes a ring of
 * 160 points a member.
 *
 * <pre>benchmarks/compare '^hash.maglev.build$'</pre>
 */
public class HashMaglevBuild {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final List<Member> members = LeveeBalancers.members(1_000);
    }

    @Benchmark
    public Object levee(LeveeState state) {
        return Maglev.of(state.members);
    }

    @Benchmark
    public Object treemap() {
        return new TreeMapRing(1_000, 160);
    }
}
