package dev.levee.benchmarks;

import dev.levee.core.policy.Hedge;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code hedge.fired}: a hedged call whose first attempt does not end; after a millisecond the second one starts, ends
 * at once and wins.
 *
 * <p>Ten thousand calls are under way at once and the figure is that of one, which hides most of the millisecond. No
 * peer has hedging; {@code byhand} is what one writes with the JDK, see {@link HedgeNofire}; here it cancels the
 * attempt that lost, as Levee does.
 *
 * <pre>benchmarks/compare '^hedge.fired$'</pre>
 */
public class HedgeFired {
    /** The work of one call: its first attempt never ends, its second has ended. */
    private static final class Attempts implements Supplier<CompletionStage<String>> {
        private boolean repeated;

        @Override
        public CompletionStage<String> get() {
            if (repeated) {
                return CompletableFuture.completedFuture("second");
            }
            repeated = true;
            return new CompletableFuture<>();
        }
    }

    /** The calls that one thread has under way. */
    @State(Scope.Thread)
    public static class Calls {
        final List<CompletableFuture<String>> answers = new ArrayList<>(Settings.BATCH);

        int await() {
            for (CompletableFuture<String> answer : answers) {
                Check.answer("second", answer.join());
            }
            int ended = answers.size();
            answers.clear();
            return ended;
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final Hedge hedge = LeveeParts.firingHedge();
    }

    @Benchmark
    @OperationsPerInvocation(Settings.BATCH)
    public int levee(LeveeState state, Calls calls) {
        for (int i = 0; i < Settings.BATCH; i++) {
            calls.answers.add(state.hedge.callAsync(new Attempts()));
        }
        return calls.await();
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
    @OperationsPerInvocation(Settings.BATCH)
    public int byhand(ByHandState state, Calls calls) {
        for (int i = 0; i < Settings.BATCH; i++) {
            calls.answers.add(hedged(state, new Attempts()));
        }
        return calls.await();
    }

    private static CompletableFuture<String> hedged(ByHandState state, Attempts work) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletableFuture<String> first = work.get().toCompletableFuture();
        var timer = state.timers.schedule(
                () -> work.get().whenComplete((result, error) -> answer.complete(result)),
                Settings.SHORT.toNanos(),
                TimeUnit.NANOSECONDS);
        first.whenComplete((result, error) -> {
            timer.cancel(false);
            answer.complete(result);
        });
        answer.whenComplete((result, error) -> first.cancel(false));
        return answer;
    }
}
