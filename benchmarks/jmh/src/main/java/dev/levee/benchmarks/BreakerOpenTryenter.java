package dev.levee.benchmarks;

import dev.failsafe.CircuitBreaker;
import dev.levee.core.Gate;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code breaker.open.tryenter}: asking an open breaker, which says no without an exception. It must look at the clock,
 * since the open time may be over.
 *
 * <pre>benchmarks/compare '^breaker.open.tryenter$'</pre>
 */
public class BreakerOpenTryenter {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.openBreaker();

        @TearDown
        public void verify() {
            Check.that(breaker.tryEnter(0) == Gate.REFUSED, "the breaker is not open");
        }
    }

    @Benchmark
    public long levee(LeveeState state) {
        return state.breaker.tryEnter(0);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker = Resilience4j.openBreaker();

        @TearDown
        public void verify() {
            Check.that(!breaker.tryAcquirePermission(), "the breaker is not open");
        }
    }

    @Benchmark
    public boolean resilience4j(Resilience4jState state) {
        return state.breaker.tryAcquirePermission();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final CircuitBreaker<String> breaker = FailsafeParts.openBreaker();

        @TearDown
        public void verify() {
            Check.that(!breaker.tryAcquirePermit(), "the breaker is not open");
        }
    }

    @Benchmark
    public boolean failsafe(FailsafeState state) {
        return state.breaker.tryAcquirePermit();
    }
}
