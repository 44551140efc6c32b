package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.retry.Retry;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code retry.nofailure}: a call under a retry that succeeds at once.
 *
 * <pre>benchmarks/compare '^retry.nofailure$'</pre>
 */
public class RetryNofailure {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.core.policy.Retry retry = LeveeParts.retry();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.retry.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = Retry.decorateSupplier(Resilience4j.retry(), new Work());
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.retry());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
