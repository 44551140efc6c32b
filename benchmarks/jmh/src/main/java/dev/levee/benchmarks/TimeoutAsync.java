package dev.levee.benchmarks;

import com.google.common.util.concurrent.MoreExecutors;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.levee.core.policy.Timeout;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code timeout.async}: a future under a timeout, not complete when it is guarded, complete long before the time is
 * up.
 *
 * <pre>benchmarks/compare '^timeout.async$'</pre>
 */
public class TimeoutAsync {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Timeout timeout = LeveeParts.timeout();
    }

    @Benchmark
    public String levee(LeveeState state, AsyncWork work) {
        CompletableFuture<String> answer = state.timeout.callAsync(work);
        work.end();
        return answer.join();
    }

    /** What the JDK itself has; it never cancels the work. */
    @Benchmark
    public String jdk(AsyncWork work) {
        CompletableFuture<String> answer = work.get().toCompletableFuture().orTimeout(1, TimeUnit.SECONDS);
        work.end();
        return answer.join();
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        final TimeLimiter limiter = Resilience4j.timeLimiter();

        Supplier<CompletionStage<String>> guard(AsyncWork work) {
            return TimeLimiter.decorateCompletionStage(limiter, timers, work);
        }

        @TearDown
        public void stop() {
            timers.shutdownNow();
        }
    }

    /** Decorated once, for each thread. */
    @State(Scope.Thread)
    public static class Resilience4jCall {
        final AsyncWork work = new AsyncWork();
        private Supplier<CompletionStage<String>> guarded = work;
        private boolean ready;

        Supplier<CompletionStage<String>> guarded(Resilience4jState state) {
            if (!ready) {
                guarded = state.guard(work);
                ready = true;
            }
            return guarded;
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state, Resilience4jCall call) {
        CompletableFuture<String> answer = call.guarded(state).get().toCompletableFuture();
        call.work.end();
        return answer.join();
    }

    /** Starts the work on a thread of the executor, here the caller's. */
    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor =
                Failsafe.with(FailsafeParts.timeout()).with(MoreExecutors.newDirectExecutorService());
    }

    @Benchmark
    public String failsafe(FailsafeState state, AsyncWork work) {
        CompletableFuture<String> answer = state.executor.getStageAsync(work);
        work.end();
        return answer.join();
    }
}
