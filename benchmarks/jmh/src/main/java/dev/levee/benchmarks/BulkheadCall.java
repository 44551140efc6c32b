package dev.levee.benchmarks;

import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.FixedLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.bulkhead.Bulkhead;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code bulkhead.call}: a call through a bulkhead with room: a permit is taken and given back.
 *
 * <pre>benchmarks/compare '^bulkhead.call$'</pre>
 */
public class BulkheadCall {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.core.policy.Bulkhead bulkhead = LeveeParts.bulkhead();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.bulkhead.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class SemaphoreState {
        final Semaphore semaphore = new Semaphore(Settings.CONCURRENT_CALLS);
        final Supplier<String> work = new Work();
    }

    @Benchmark
    public String semaphore(SemaphoreState state) {
        if (!state.semaphore.tryAcquire()) {
            throw new AssertionError("full");
        }
        try {
            return state.work.get();
        } finally {
            state.semaphore.release();
        }
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = Bulkhead.decorateSupplier(Resilience4j.bulkhead(), new Work());
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.bulkhead());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }

    /** A fixed limit: the only one of its limits that does the same job. */
    @State(Scope.Benchmark)
    public static class ConcurrencyLimitsState {
        final Limiter<String> limiter = SimpleLimiter.newBuilder()
                .limit(FixedLimit.of(Settings.CONCURRENT_CALLS))
                .build();
        final Supplier<String> work = new Work();
    }

    @Benchmark
    public String concurrencyLimits(ConcurrencyLimitsState state) {
        Optional<Limiter.Listener> permit = state.limiter.acquire("");
        if (permit.isEmpty()) {
            throw new AssertionError("full");
        }
        String answer = state.work.get();
        permit.get().onSuccess();
        return answer;
    }
}
