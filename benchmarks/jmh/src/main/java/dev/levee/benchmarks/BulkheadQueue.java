package dev.levee.benchmarks;

import com.google.common.util.concurrent.MoreExecutors;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.function.CheckedSupplier;
import dev.levee.core.policy.Bulkhead;
import io.github.resilience4j.bulkhead.ThreadPoolBulkhead;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code bulkhead.queue}: two asynchronous calls through a bulkhead of one permit; the first holds it, the second waits
 * in the queue, and has its turn when the first ends. The figure is that of both.
 *
 * <p>Resilience4j's bulkhead with a queue runs the work on a thread of its own, so its figure has the way to that
 * thread and back.
 *
 * <pre>benchmarks/compare '^bulkhead.queue$'</pre>
 */
public class BulkheadQueue {
    /**
     * Asynchronous work of one call, which ends when it is told to, begun or not. Made by each call, with its future a
     * part of every subject's figure: 40 bytes.
     */
    private static final class HeldWork
            implements Supplier<CompletionStage<String>>, CheckedSupplier<CompletionStage<String>> {
        private final CompletableFuture<String> running = new CompletableFuture<>();

        @Override
        public CompletionStage<String> get() {
            return running;
        }

        /** Completes it. */
        void end(String answer) {
            running.complete(answer);
        }

        /** Waits for {@link #end} on the thread that calls. */
        String await() {
            return running.join();
        }
    }

    /** Whether second calls had to wait, counted by each thread. */
    @State(Scope.Thread)
    public static class Turns {
        private long all;
        private long queued;

        /**
         * Lets the first call end.
         *
         * @param first its work
         * @param second the answer of the second call, which must not be there yet
         * @return what the second call answers
         */
        private String handOver(HeldWork first, CompletableFuture<String> second) {
            all++;
            if (!second.isDone()) {
                queued++;
            }
            first.end("first");
            String answer = second.join();
            Check.answer("second", answer);
            return answer;
        }

        @TearDown
        public void verify() {
            Check.that(queued > all - all / 10, "only " + queued + " of " + all + " calls were queued");
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final Bulkhead bulkhead = LeveeParts.queue();
    }

    @Benchmark
    public String levee(LeveeState state, Turns turns) {
        HeldWork first = new HeldWork();
        HeldWork second = new HeldWork();
        second.end("second");
        state.bulkhead.callAsync(first);
        return turns.handOver(first, state.bulkhead.callAsync(second));
    }

    /** Starts the work on a thread of the executor, here that of the caller or of the one that hands over. */
    @State(Scope.Benchmark)
    public static class FailsafeState {
        final FailsafeExecutor<String> executor =
                Failsafe.with(FailsafeParts.queue()).with(MoreExecutors.newDirectExecutorService());
    }

    @Benchmark
    public String failsafe(FailsafeState state, Turns turns) {
        HeldWork first = new HeldWork();
        HeldWork second = new HeldWork();
        second.end("second");
        state.executor.getStageAsync(first);
        return turns.handOver(first, state.executor.getStageAsync(second));
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final ThreadPoolBulkhead bulkhead = Resilience4j.queue();

        @TearDown
        public void stop() throws Exception {
            bulkhead.close();
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state, Turns turns) {
        HeldWork first = new HeldWork();
        HeldWork second = new HeldWork();
        second.end("second");
        state.bulkhead.executeSupplier(first::await);
        return turns.handOver(
                first, state.bulkhead.executeSupplier(second::await).toCompletableFuture());
    }
}
