package dev.levee.benchmarks;

import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.levee.core.RefusedException;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code breaker.open.call}: a guarded call that an open breaker refuses by an exception, which is caught.
 *
 * <p>Resilience4j's exception has no stack trace here; Failsafe's always has one, and JMH's shallow stack flatters it.
 *
 * <pre>benchmarks/compare '^breaker.open.call$'</pre>
 */
public class BreakerOpenCall {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.openBreaker();
        final Work work = new Work();
    }

    @Benchmark
    public Object levee(LeveeState state) {
        try {
            throw new AssertionError("admitted: " + state.breaker.call(state.work));
        } catch (RefusedException refused) {
            return refused;
        }
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = CircuitBreaker.decorateSupplier(Resilience4j.openBreaker(), new Work());
    }

    @Benchmark
    public Object resilience4j(Resilience4jState state) {
        try {
            throw new AssertionError("admitted: " + state.guarded.get());
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.openBreaker());
        final Work work = new Work();
    }

    @Benchmark
    public Object failsafe(FailsafeState state) {
        try {
            throw new AssertionError("admitted: " + state.executor.get(state.work));
        } catch (CircuitBreakerOpenException refused) {
            return refused;
        }
    }
}
