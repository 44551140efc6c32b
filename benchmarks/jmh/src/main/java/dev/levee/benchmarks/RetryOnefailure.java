package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import io.github.resilience4j.retry.Retry;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * {@code retry.onefailure}: a call under a retry whose first attempt fails and whose second, at once, succeeds.
 *
 * <p>Levee's retry has no budget here, as the others have none.
 *
 * <pre>benchmarks/compare '^retry.onefailure$'</pre>
 */
public class RetryOnefailure {
    /** Every other attempt fails, so that each call has two. */
    @State(Scope.Thread)
    public static class WorkState {
        final Failing work = new Failing(2);
        private long failed;

        /** Returns the answer of a call, if it took a failure to get it. */
        String checked(String answer) {
            long failures = work.failures();
            Check.that(failures == failed + 1, "not one failure in a call");
            failed = failures;
            return answer;
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.core.policy.Retry retry = LeveeParts.retryAtOnce();
    }

    @Benchmark
    public String levee(LeveeState state, WorkState calls) {
        return calls.checked(state.retry.call(calls.work));
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final Retry retry = Resilience4j.retryAtOnce();
    }

    /** Decorated once, for each thread. */
    @State(Scope.Thread)
    public static class Resilience4jCall extends WorkState {
        Supplier<String> guarded = () -> "";

        @Setup
        public void decorate(Resilience4jState state) {
            guarded = Retry.decorateSupplier(state.retry, work);
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jCall call) {
        return call.checked(call.guarded.get());
    }

    /** Its default has no delay. */
    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.retry());
    }

    @Benchmark
    public String failsafe(FailsafeState state, WorkState calls) {
        return calls.checked(state.executor.get(calls.work));
    }
}
