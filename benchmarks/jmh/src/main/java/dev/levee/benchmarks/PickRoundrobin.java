package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.roundrobin}: the next of ten endpoints by round robin. {@code levee} is the picker that a balancer has
 * made for its set, as gRPC's is; {@code levee-call} the whole call through the balancer, which counts it in and out.
 *
 * <pre>benchmarks/compare '^pick.roundrobin$'</pre>
 */
public class PickRoundrobin {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final BalancingStrategy.Picker picker = LeveeBalancers.picker(BalancingStrategy.roundRobin(), 10, index -> 1);
    }

    @Benchmark
    public int levee(LeveeState state) {
        return state.picker.pick(0);
    }

    @State(Scope.Benchmark)
    public static class LeveeCallState {
        final LoadBalancer<String> balancer = LeveeBalancers.of(BalancingStrategy.roundRobin(), 10);
    }

    @Benchmark
    public String leveeCall(LeveeCallState state) {
        return state.balancer.call(address -> address);
    }

    @State(Scope.Benchmark)
    public static class GrpcState {
        final GrpcBalancer balancer = GrpcBalancer.roundRobin(10);
    }

    @Benchmark
    public @Nullable Object grpc(GrpcState state) {
        return state.balancer.pick().getSubchannel();
    }

    @State(Scope.Benchmark)
    public static class ServiceTalkState {
        final ServiceTalkBalancer balancer = ServiceTalkBalancer.roundRobin(10);
    }

    @Benchmark
    public Object servicetalk(ServiceTalkState state) {
        return state.balancer.select();
    }

    @State(Scope.Benchmark)
    public static class SpringState {
        final SpringBalancer balancer = new SpringBalancer(10);
    }

    @Benchmark
    public Object spring(SpringState state) {
        return state.balancer.pick();
    }
}
