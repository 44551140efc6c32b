package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.levee.core.policy.Timeout;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code timeout.blocking}: a call under a timeout that ends long before it, on the caller's thread where the library
 * can.
 *
 * <pre>benchmarks/compare '^timeout.blocking$'</pre>
 */
public class TimeoutBlocking {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Timeout timeout = LeveeParts.timeout();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.timeout.call(state.work);
    }

    /** Interrupts the caller's thread, as Levee does. */
    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor = Failsafe.with(FailsafeParts.timeout());
        final Work work = new Work();
    }

    @Benchmark
    public String failsafe(FailsafeState state) {
        return state.executor.get(state.work);
    }

    /** Can only wait for work of another thread. */
    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final ExecutorService workers = Executors.newFixedThreadPool(2);
        final Work work = new Work();
        final Callable<String> guarded =
                TimeLimiter.decorateFutureSupplier(Resilience4j.timeLimiter(), () -> workers.submit(work::get));

        @TearDown
        public void stop() {
            workers.shutdownNow();
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state) throws Exception {
        return state.guarded.call();
    }
}
