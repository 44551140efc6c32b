package dev.levee.benchmarks;

import dev.levee.core.policy.Hedge;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code hedge.nofire}: a future that would be hedged, but ends long before the delay.
 *
 * <p>No peer has hedging; {@code byhand} is what one writes with the JDK: a timer that would start a second call, and
 * that is taken back when the first has ended. It has no budget, cancels nothing and judges no failure.
 *
 * <pre>benchmarks/compare '^hedge.nofire$'</pre>
 */
public class HedgeNofire {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Hedge hedge = LeveeParts.hedge();
    }

    @Benchmark
    public String levee(LeveeState state, AsyncWork work) {
        CompletableFuture<String> answer = state.hedge.callAsync(work);
        work.end();
        return answer.join();
    }

    @State(Scope.Benchmark)
    public static class ByHandState {
        final ScheduledThreadPoolExecutor timers = new ScheduledThreadPoolExecutor(1);

        public ByHandState() {
            timers.setRemoveOnCancelPolicy(true);
        }

        @TearDown
        public void stop() {
            timers.shutdownNow();
        }
    }

    @Benchmark
    public String byhand(ByHandState state, AsyncWork work) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletableFuture<String> first = work.get().toCompletableFuture();
        Future<?> timer = state.timers.schedule(
                () -> work.get().whenComplete((result, error) -> answer.complete(result)),
                Settings.TIMEOUT.toNanos(),
                TimeUnit.NANOSECONDS);
        first.whenComplete((result, error) -> {
            timer.cancel(false);
            answer.complete(result);
        });
        work.end();
        return answer.join();
    }
}
