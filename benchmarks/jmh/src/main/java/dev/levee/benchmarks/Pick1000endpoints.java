package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.1000endpoints}: {@code pick.p2c} over a thousand endpoints.
 *
 * <pre>benchmarks/compare '^pick.1000endpoints$'</pre>
 */
public class Pick1000endpoints {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LoadBalancer<String> balancer = LeveeBalancers.of(BalancingStrategy.powerOfTwoChoices(), 1_000);
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.balancer.call(address -> address);
    }

    @State(Scope.Benchmark)
    public static class GrpcState {
        final GrpcBalancer balancer = GrpcBalancer.leastRequest(1_000, 2);
    }

    @Benchmark
    public @Nullable Object grpc(GrpcState state) {
        return state.balancer.call();
    }

    @State(Scope.Benchmark)
    public static class ServiceTalkState {
        final ServiceTalkBalancer balancer = ServiceTalkBalancer.p2c(1_000);
    }

    @Benchmark
    public Object servicetalk(ServiceTalkState state) {
        return state.balancer.call();
    }
}
