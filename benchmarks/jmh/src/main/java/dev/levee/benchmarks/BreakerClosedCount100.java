package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code breaker.closed.count100}: a guarded call that succeeds; the breaker is closed, its window is 100 calls, and it
 * has no slow-call rule.
 *
 * <pre>benchmarks/compare '^breaker.closed.count100$'</pre>
 */
public class BreakerClosedCount100 {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.breakerCount100();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.breaker.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = CircuitBreaker.decorateSupplier(Resilience4j.breakerCount100(), new Work());
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.breakerCount100());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
