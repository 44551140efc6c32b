package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.leastinflight10}: a call to the one of ten endpoints with the fewest calls in flight: pick and
 * completion. {@code levee} is the whole call through the balancer. gRPC draws ten times with replacement, which is its
 * most.
 *
 * <pre>benchmarks/compare '^pick.leastinflight10$'</pre>
 */
public class PickLeastinflight10 {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LoadBalancer<String> balancer = LeveeBalancers.of(BalancingStrategy.leastConnections(), 10);
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.balancer.call(address -> address);
    }

    @State(Scope.Benchmark)
    public static class GrpcState {
        final GrpcBalancer balancer = GrpcBalancer.leastRequest(10, 10);
    }

    @Benchmark
    public @Nullable Object grpc(GrpcState state) {
        return state.balancer.call();
    }
}
