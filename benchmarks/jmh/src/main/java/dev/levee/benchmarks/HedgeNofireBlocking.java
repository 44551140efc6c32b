package dev.levee.benchmarks;

import dev.levee.core.policy.Hedge;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code hedge.nofire.blocking}: a blocking call that would be hedged, but ends long before the delay. It runs on a
 * thread of the executor, and that is what it costs; {@code byhand} is the bare hand-over.
 *
 * <pre>benchmarks/compare '^hedge.nofire.blocking$'</pre>
 */
public class HedgeNofireBlocking {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final Hedge hedge = LeveeParts.hedge();
        final Work work = new Work();
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.hedge.call(state.work);
    }

    @State(Scope.Benchmark)
    public static class ByHandState {
        final ExecutorService workers = Executors.newCachedThreadPool();
        final Work work = new Work();

        @TearDown
        public void stop() {
            workers.shutdownNow();
        }
    }

    @Benchmark
    public String byhand(ByHandState state) {
        return CompletableFuture.supplyAsync(state.work, state.workers).join();
    }
}
