package dev.levee.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.failsafe.Fallback;
import dev.failsafe.Policy;
import dev.levee.core.Pipeline;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.core.SupplierUtils;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.retry.Retry;
import java.util.List;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code pipeline.megamorphic}: three different pipelines run in one JVM, in turn and through one call site, so that
 * the compiler cannot know which policy comes next. The figure is per call.
 *
 * <p>The pipelines, outermost first, are
 *
 * <pre>
 * retry(breaker(bulkhead(limiter(call))))
 * limiter(retry(bulkhead(breaker(call))))
 * fallback(bulkhead(limiter(breaker(call))))
 * </pre>
 *
 * <p>Each has four policies, and all three share one breaker, one bulkhead and one limiter, as pipelines of one service
 * may: so a call touches the same words, as often, as in {@code pipeline.retry-breaker-bulkhead-limiter}, and the
 * difference to that question is the dispatch. With a set of policies each, two threads would be in each other's way
 * less than there, which would hide it.
 *
 * <pre>benchmarks/compare '^pipeline.megamorphic$'</pre>
 */
public class PipelineMegamorphic {
    /** Whose turn it is; each thread keeps its own count. */
    @State(Scope.Thread)
    public static class Turn {
        private int turn;

        int next() {
            turn = turn == 2 ? 0 : turn + 1;
            return turn;
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final List<Pipeline> pipelines = pipelines();
        final Work work = new Work();

        private static List<Pipeline> pipelines() {
            dev.levee.core.Policy retry = LeveeParts.retry();
            dev.levee.core.Policy breaker = LeveeParts.breakerCount100();
            dev.levee.core.Policy bulkhead = LeveeParts.bulkhead();
            dev.levee.core.Policy limiter = LeveeParts.admittingLimiter();
            return List.of(
                    Pipeline.of(retry, breaker, bulkhead, limiter),
                    Pipeline.of(limiter, retry, bulkhead, breaker),
                    Pipeline.of(LeveeParts.fallback(), bulkhead, limiter, breaker));
        }
    }

    @Benchmark
    public String levee(LeveeState state, Turn turn) {
        return state.pipelines.get(turn.next()).call(state.work);
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final List<Supplier<String>> pipelines = pipelines();

        private static List<Supplier<String>> pipelines() {
            Work work = new Work();
            Retry retry = Resilience4j.retry();
            CircuitBreaker breaker = Resilience4j.breakerCount100();
            Bulkhead bulkhead = Resilience4j.bulkhead();
            RateLimiter limiter = Resilience4j.admittingLimiter();
            return List.of(
                    Retry.decorateSupplier(
                            retry,
                            CircuitBreaker.decorateSupplier(
                                    breaker,
                                    Bulkhead.decorateSupplier(bulkhead, RateLimiter.decorateSupplier(limiter, work)))),
                    RateLimiter.decorateSupplier(
                            limiter,
                            Retry.decorateSupplier(
                                    retry,
                                    Bulkhead.decorateSupplier(
                                            bulkhead, CircuitBreaker.decorateSupplier(breaker, work)))),
                    SupplierUtils.recover(
                            Bulkhead.decorateSupplier(
                                    bulkhead,
                                    RateLimiter.decorateSupplier(
                                            limiter, CircuitBreaker.decorateSupplier(breaker, work))),
                            failure -> "fallback"));
        }
    }

    @Benchmark
    public String resilience4j(Resilience4jState state, Turn turn) {
        return state.pipelines.get(turn.next()).get();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final List<FailsafeExecutor<String>> pipelines = pipelines();
        final Work work = new Work();

        private static List<FailsafeExecutor<String>> pipelines() {
            Policy<String> retry = FailsafeParts.retry();
            Policy<String> breaker = FailsafeParts.breakerCount100();
            Policy<String> bulkhead = FailsafeParts.bulkhead();
            Policy<String> limiter = FailsafeParts.admittingLimiter();
            Policy<String> fallback = Fallback.of("fallback");
            return List.of(
                    Failsafe.with(List.of(retry, breaker, bulkhead, limiter)),
                    Failsafe.with(List.of(limiter, retry, bulkhead, breaker)),
                    Failsafe.with(List.of(fallback, bulkhead, limiter, breaker)));
        }
    }

    @Benchmark
    public String failsafe(FailsafeState state, Turn turn) {
        return state.pipelines.get(turn.next()).get(state.work);
    }
}
