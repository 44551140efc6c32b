package dev.levee.benchmarks.limits;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code limiter.slidingwindow}: asking a sliding-window counter that admits. No peer has one; Resilience4j's fixed
 * window stands beside it.
 *
 * <pre>benchmarks/compare '^limiter.slidingwindow$'</pre>
 */
public class LimiterSlidingwindow {
    private static final int PERMITS = 1_000_000;
    private static final Duration WINDOW = Duration.ofMillis(1);

    @State(Scope.Benchmark)
    public static class LeveeState {
        final RateLimiter limiter = RateLimiter.of("sliding", Limit.slidingWindow(PERMITS, WINDOW));
    }

    @Benchmark
    public long levee(LeveeState state) {
        return state.limiter.tryAcquireOrWaitNanos();
    }

    @State(Scope.Benchmark)
    public static class Resilience4jFixedState {
        final io.github.resilience4j.ratelimiter.RateLimiter limiter =
                io.github.resilience4j.ratelimiter.RateLimiter.of(
                        "fixed",
                        RateLimiterConfig.custom()
                                .limitForPeriod(PERMITS)
                                .limitRefreshPeriod(WINDOW)
                                .timeoutDuration(Duration.ZERO)
                                .build());
    }

    @Benchmark
    public boolean resilience4jFixed(Resilience4jFixedState state) {
        return state.limiter.acquirePermission();
    }
}
