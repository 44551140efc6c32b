package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Policy;
import dev.levee.core.Pipeline;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.core.SupplierUtils;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code pipeline.full}: a call through fallback, retry, breaker, limiter, timeout and bulkhead, outermost first, all
 * of which let it pass.
 *
 * <pre>benchmarks/compare '^pipeline.full$'</pre>
 */
public class PipelineFull {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Pipeline pipeline = Pipeline.of(
                LeveeParts.fallback(),
                LeveeParts.retry(),
                LeveeParts.breakerCount100(),
                LeveeParts.admittingLimiter(),
                LeveeParts.timeout(),
                LeveeParts.bulkhead());
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.pipeline.call(state.work);
    }

    /** Its timeout can only wait for work of another thread. */
    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final ExecutorService workers = Executors.newFixedThreadPool(2);
        final Supplier<String> work = Bulkhead.decorateSupplier(Resilience4j.bulkhead(), new Work());
        final Callable<String> timed =
                TimeLimiter.decorateFutureSupplier(Resilience4j.timeLimiter(), () -> workers.submit(work::get));
        final Supplier<String> guarded = SupplierUtils.recover(
                Retry.decorateSupplier(
                        Resilience4j.retry(),
                        CircuitBreaker.decorateSupplier(
                                Resilience4j.breakerCount100(),
                                RateLimiter.decorateSupplier(Resilience4j.admittingLimiter(), () -> unchecked(timed)))),
                (Throwable failure) -> "fallback");

        private static String unchecked(Callable<String> callable) {
            try {
                return callable.call();
            } catch (Exception failure) {
                throw new IllegalStateException(failure);
            }
        }

        @TearDown
        public void stop() {
            workers.shutdownNow();
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(List.<Policy<String>>of(
                FailsafeParts.fallback(),
                FailsafeParts.retry(),
                FailsafeParts.breakerCount100(),
                FailsafeParts.admittingLimiter(),
                FailsafeParts.timeout(),
                FailsafeParts.bulkhead()));
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
