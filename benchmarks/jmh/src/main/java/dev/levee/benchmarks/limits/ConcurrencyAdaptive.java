package dev.levee.benchmarks.limits;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.Gradient2Limit;
import com.netflix.concurrency.limits.limit.VegasLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import dev.levee.core.Operation;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.ConcurrencyLimit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code concurrency.adaptive}: a call through a bound that learns from each call, with the readings of the clock that
 * it needs.
 *
 * <pre>benchmarks/compare '^concurrency.adaptive$'</pre>
 */
public class ConcurrencyAdaptive {
    @SuppressWarnings("UnnecessaryLambda") // handed to each subject alike
    private static final Operation<String, RuntimeException> WORK = () -> "answer";

    @State(Scope.Benchmark)
    public static class LeveeState {
        final AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("adaptive");
    }

    @Benchmark
    public String levee(LeveeState state) {
        return state.bulkhead.call(WORK);
    }

    @State(Scope.Benchmark)
    public static class LeveeVegasState {
        final AdaptiveBulkhead bulkhead =
                AdaptiveBulkhead.of("adaptive", config -> config.limit(ConcurrencyLimit.vegas()));
    }

    @Benchmark
    public String leveeVegas(LeveeVegasState state) {
        return state.bulkhead.call(WORK);
    }

    @State(Scope.Benchmark)
    public static class VegasState {
        final Limiter<Void> limiter = limiter(VegasLimit.newDefault());
    }

    @Benchmark
    public String concurrencyLimitsVegas(VegasState state) {
        return call(state.limiter);
    }

    @State(Scope.Benchmark)
    public static class Gradient2State {
        final Limiter<Void> limiter = limiter(Gradient2Limit.newDefault());
    }

    @Benchmark
    public String concurrencyLimitsGradient2(Gradient2State state) {
        return call(state.limiter);
    }

    private static Limiter<Void> limiter(Limit limit) {
        return SimpleLimiter.newBuilder().limit(limit).build();
    }

    private static String call(Limiter<Void> limiter) {
        Limiter.Listener permit = limiter.acquire(null).orElseThrow();
        String answer = WORK.run();
        permit.onSuccess();
        return answer;
    }
}
