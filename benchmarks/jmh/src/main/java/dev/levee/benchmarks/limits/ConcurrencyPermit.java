package dev.levee.benchmarks.limits;

import com.netflix.concurrency.limits.Limiter;
import com.netflix.concurrency.limits.limit.FixedLimit;
import com.netflix.concurrency.limits.limiter.SimpleLimiter;
import dev.levee.core.policy.Bulkhead;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code concurrency.permit}: a permit of a fixed number is taken and given back, without a call around it.
 *
 * <pre>benchmarks/compare '^concurrency.permit$'</pre>
 */
public class ConcurrencyPermit {
    private static final int PERMITS = 100;

    @State(Scope.Benchmark)
    public static class LeveeState {
        final Bulkhead bulkhead = Bulkhead.of("permit", PERMITS);
    }

    @Benchmark
    public long levee(LeveeState state) {
        long stamp = state.bulkhead.tryEnter(0);
        state.bulkhead.exit(stamp, 0, 0, dev.levee.core.Verdict.SUCCESS, 0);
        return stamp;
    }

    @State(Scope.Benchmark)
    public static class ConcurrencyLimitsState {
        final Limiter<Void> limiter =
                SimpleLimiter.newBuilder().limit(FixedLimit.of(PERMITS)).build();
    }

    @Benchmark
    public Limiter.Listener concurrencyLimits(ConcurrencyLimitsState state) {
        Optional<Limiter.Listener> permit = state.limiter.acquire(null);
        Limiter.Listener listener = permit.orElseThrow();
        listener.onSuccess();
        return listener;
    }
}
