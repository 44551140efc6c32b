package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.p2c}: a call to the less loaded of two endpoints drawn from ten: pick and completion. {@code levee} is
 * the whole call through the balancer. ServiceTalk's two choices go by latency.
 *
 * <pre>benchmarks/compare '^pick.p2c$'</pre>
 */
public class PickP2c {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LoadBalancer<String> balancer = LeveeBalancers.of(BalancingStrategy.powerOfTwoChoices(), 10);
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.balancer.call(address -> address);
    }

    @State(Scope.Benchmark)
    public static class GrpcState {
        final GrpcBalancer balancer = GrpcBalancer.leastRequest(10, 2);
    }

    @Benchmark
    public @Nullable Object grpc(GrpcState state) {
        return state.balancer.call();
    }

    @State(Scope.Benchmark)
    public static class ServiceTalkState {
        final ServiceTalkBalancer balancer = ServiceTalkBalancer.p2c(10);
    }

    @Benchmark
    public Object servicetalk(ServiceTalkState state) {
        return state.balancer.call();
    }
}
