package dev.levee.benchmarks;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pick.ewma}: a call to the one of two endpoints, drawn from ten, that will have answered first by its peak
 * EWMA: pick and completion, with the reading of the clock that both need. {@code levee} is the whole call through the
 * balancer.
 *
 * <pre>benchmarks/compare '^pick.ewma$'</pre>
 */
public class PickEwma {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LoadBalancer<String> balancer = LeveeBalancers.of(BalancingStrategy.leastTime(), 10);
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.balancer.call(address -> address);
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
