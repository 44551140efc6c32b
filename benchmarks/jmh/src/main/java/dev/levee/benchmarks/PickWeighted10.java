package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.weighted10}: the next of ten endpoints with the weights 1 to 10. {@code levee} is the picker that a
 * balancer has made for its set. ServiceTalk takes weights from its own service discovery only.
 *
 * <pre>benchmarks/compare '^pick.weighted10$'</pre>
 */
public class PickWeighted10 {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final BalancingStrategy.Picker picker =
                LeveeBalancers.picker(BalancingStrategy.weightedRoundRobin(), 10, index -> index + 1);
    }

    @Benchmark
    public int levee(LeveeState state) {
        return state.picker.pick(0);
    }

    @State(Scope.Benchmark)
    public static class LeveeCallState {
        final LoadBalancer<String> balancer =
                LeveeBalancers.of(BalancingStrategy.weightedRoundRobin(), 10, index -> index + 1);
    }

    @Benchmark
    public String leveeCall(LeveeCallState state) {
        return state.balancer.call(address -> address);
    }

    /** What nginx does, under a lock. */
    @State(Scope.Benchmark)
    public static class NginxState {
        final SynchronizedSmoothWeights weights = new SynchronizedSmoothWeights(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    }

    @Benchmark
    public int synchronizedSmooth(NginxState state) {
        return state.weights.pick();
    }

    @State(Scope.Benchmark)
    public static class GrpcState {
        final GrpcBalancer balancer = GrpcBalancer.weightedRoundRobin(10, index -> index + 1);
    }

    @Benchmark
    public @Nullable Object grpc(GrpcState state) {
        return state.balancer.pick().getSubchannel();
    }
}
