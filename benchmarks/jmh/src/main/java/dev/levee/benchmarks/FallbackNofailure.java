package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.levee.core.policy.Fallback;
import io.github.resilience4j.core.SupplierUtils;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code fallback.nofailure}: a call under a fallback that is not needed.
 *
 * <pre>benchmarks/compare '^fallback.nofailure$'</pre>
 */
public class FallbackNofailure {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Fallback fallback = LeveeParts.fallback();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.fallback.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Supplier<String> guarded = SupplierUtils.recover(new Work(), (Throwable failure) -> "fallback");
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) {
        return state.guarded.get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.fallback());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }
}
