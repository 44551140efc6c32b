package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code breaker.closed.time10s.slowcalls}: a guarded call that succeeds quickly; the breaker is closed, its window is
 * 10 seconds, and it has a slow-call rule, so the call must be timed.
 *
 * <p>Failsafe has no slow-call rule. Resilience4j is here twice: which of its two windows is faster, the locked or the
 * lock-free one, depends on the machine.
 *
 * <pre>benchmarks/compare '^breaker.closed.time10s.slowcalls$'</pre>
 */
public class BreakerClosedTime10sSlowcalls {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.breakerTime10s();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.breaker.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = CircuitBreaker.decorateSupplier(
                Resilience4j.breakerTime10s(SlidingWindowSynchronizationStrategy.SYNCHRONIZED), new Work());
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class Resilience4jLockfreeState {
        final Supplier<String> guarded = CircuitBreaker.decorateSupplier(
                Resilience4j.breakerTime10s(SlidingWindowSynchronizationStrategy.LOCK_FREE), new Work());
    }

    @Benchmark
    public String resilience4jLockfree(Resilience4jLockfreeState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.breakerTime10s());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
