package dev.levee.benchmarks;

import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code timeout.fired}: a future under a timeout of a millisecond, which does not end and is timed out.
 *
 * <p>Failsafe is not asked: of so many stages whose time is up it leaves some without an end.
 *
 * <p>Ten thousand calls are under way at once and the figure is that of one, which hides most of the millisecond.
 *
 * <pre>benchmarks/compare '^timeout.fired$'</pre>
 */
public class TimeoutFired {
    /** Work that never ends. */
    private static final class Endless implements Supplier<CompletionStage<String>> {
        @Override
        public CompletionStage<String> get() {
            return new CompletableFuture<>();
        }
    }

    /** The calls that one thread has under way. */
    @State(Scope.Thread)
    public static class Calls {
        final Endless work = new Endless();
        final List<CompletableFuture<String>> answers = new ArrayList<>(Settings.BATCH);

        int await(Class<? extends Throwable> expected) {
            for (CompletableFuture<String> answer : answers) {
                try {
                    throw new AssertionError("answered: " + answer.join());
                } catch (CompletionException failed) {
                    Check.failure(expected, failed.getCause());
                }
            }
            int ended = answers.size();
            answers.clear();
            return ended;
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final Timeout timeout = LeveeParts.firingTimeout();
    }

    @Benchmark
    @OperationsPerInvocation(Settings.BATCH)
    public int levee(LeveeState state, Calls calls) {
        for (int i = 0; i < Settings.BATCH; i++) {
            calls.answers.add(state.timeout.callAsync(calls.work));
        }
        return calls.await(TimedOutException.class);
    }

    /** What the JDK itself has; it never cancels the work. */
    @Benchmark
    @OperationsPerInvocation(Settings.BATCH)
    public int jdk(Calls calls) {
        for (int i = 0; i < Settings.BATCH; i++) {
            calls.answers.add(
                    calls.work.get().toCompletableFuture().orTimeout(Settings.SHORT.toNanos(), TimeUnit.NANOSECONDS));
        }
        return calls.await(TimeoutException.class);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
        final Supplier<CompletionStage<String>> guarded =
                TimeLimiter.decorateCompletionStage(Resilience4j.firingTimeLimiter(), timers, new Endless());

        @TearDown
        public void stop() {
            timers.shutdownNow();
        }
    }

    @Benchmark
    @OperationsPerInvocation(Settings.BATCH)
    public int resilience4j(Resilience4jState state, Calls calls) {
        for (int i = 0; i < Settings.BATCH; i++) {
            calls.answers.add(state.guarded.get().toCompletableFuture());
        }
        return calls.await(TimeoutException.class);
    }
}
