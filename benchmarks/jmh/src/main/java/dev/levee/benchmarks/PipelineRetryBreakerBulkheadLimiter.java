package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Policy;
import dev.levee.core.Pipeline;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.retry.Retry;
import java.util.List;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pipeline.retry-breaker-bulkhead-limiter}: a call through four policies, all of which let it pass; outermost
 * first. The breaker is that of {@code breaker.closed.count100}.
 *
 * <pre>benchmarks/compare '^pipeline.retry-breaker-bulkhead-limiter$'</pre>
 */
public class PipelineRetryBreakerBulkheadLimiter {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Pipeline pipeline = Pipeline.of(
                LeveeParts.retry(), LeveeParts.breakerCount100(), LeveeParts.bulkhead(), LeveeParts.admittingLimiter());
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.pipeline.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = Retry.decorateSupplier(
                Resilience4j.retry(),
                CircuitBreaker.decorateSupplier(
                        Resilience4j.breakerCount100(),
                        Bulkhead.decorateSupplier(
                                Resilience4j.bulkhead(),
                                RateLimiter.decorateSupplier(Resilience4j.admittingLimiter(), new Work()))));
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(List.<Policy<String>>of(
                FailsafeParts.retry(),
                FailsafeParts.breakerCount100(),
                FailsafeParts.bulkhead(),
                FailsafeParts.admittingLimiter()));
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
