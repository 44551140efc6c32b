package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code breaker.closed.count100.fail5pct}: a guarded call, of which one in 20 fails with an exception that the caller
 * catches; the breaker is closed and stays so, its window is 100 calls, and it has no slow-call rule.
 *
 * <pre>benchmarks/compare '^breaker.closed.count100.fail5pct$'</pre>
 */
public class BreakerClosedCount100Fail5pct {
    /** How many calls there are for one that fails. */
    private static final int EVERY = 20;

    @State(Scope.Thread)
    public static class WorkState {
        final Failing work = new Failing(EVERY);

        @TearDown
        public void verify() {
            Check.that(work.failures() > 0, "no call has failed");
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.circuitbreaker.CircuitBreaker breaker = LeveeParts.breakerCount100();

        @TearDown
        public void verify() {
            var now = breaker.snapshot();
            Check.that(now.state() == dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED, "the breaker has opened");
            Check.that(now.calls() == 100, "the window is not full");
            Check.failureRate(now.failureRate(), EVERY);
        }
    }

    @Benchmark
    public Object levee(LeveeState state, WorkState calls) {
        try {
            return state.breaker.call(calls.work);
        } catch (Failing.Failure failure) {
            return failure;
        }
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final CircuitBreaker breaker = Resilience4j.breakerCount100();

        @TearDown
        public void verify() {
            Check.that(breaker.getState() == CircuitBreaker.State.CLOSED, "the breaker has opened");
            Check.failureRate(breaker.getMetrics().getFailureRate() / 100, EVERY);
        }
    }

    /** Decorated once, for each thread. */
    @State(Scope.Thread)
    public static class Resilience4jCall extends WorkState {
        Supplier<String> guarded = () -> "";

        @Setup
        public void decorate(Resilience4jState state) {
            guarded = CircuitBreaker.decorateSupplier(state.breaker, work);
        }
    }

    @Benchmark
    public Object resilience4j(Resilience4jCall call) {
        try {
            return call.guarded.get();
        } catch (Failing.Failure failure) {
            return failure;
        }
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final dev.failsafe.CircuitBreaker<String> breaker = FailsafeParts.breakerCount100();
        final FailsafeExecutor<String> executor = Failsafe.with(breaker);

        @TearDown
        public void verify() {
            Check.that(breaker.isClosed(), "the breaker has opened");
            Check.failureRate(breaker.getFailureRate() / 100.0, EVERY);
        }
    }

    @Benchmark
    public Object failsafe(FailsafeState state, WorkState calls) {
        try {
            return state.executor.get(calls.work);
        } catch (Failing.Failure failure) {
            return failure;
        }
    }
}
