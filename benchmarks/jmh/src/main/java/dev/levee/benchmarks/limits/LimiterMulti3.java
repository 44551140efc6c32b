package dev.levee.benchmarks.limits;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.SynchronizationStrategy;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code limiter.multi3}: a permit of three limits at once, all of which admit.
 *
 * <pre>benchmarks/compare '^limiter.multi3$'</pre>
 */
public class LimiterMulti3 {
    private static final long PER_SECOND = 1_000_000_000L;

    @State(Scope.Benchmark)
    public static class LeveeState {
        final RateLimiter limiter = RateLimiter.allOf(
                "all",
                RateLimiter.of("second", Limit.perSecond(PER_SECOND)),
                RateLimiter.of("minute", Limit.of(60 * PER_SECOND, Duration.ofMinutes(1))),
                RateLimiter.of("hour", Limit.of(3_600 * PER_SECOND, Duration.ofHours(1))));
    }

    @Benchmark
    public long levee(LeveeState state) {
        return state.limiter.tryAcquireOrWaitNanos();
    }

    static Bucket bucket(SynchronizationStrategy strategy) {
        return Bucket.builder()
                .addLimit(limit -> limit.capacity(PER_SECOND).refillGreedy(PER_SECOND, Duration.ofSeconds(1)))
                .addLimit(limit -> limit.capacity(60 * PER_SECOND).refillGreedy(60 * PER_SECOND, Duration.ofMinutes(1)))
                .addLimit(limit ->
                        limit.capacity(3_600 * PER_SECOND).refillGreedy(3_600 * PER_SECOND, Duration.ofHours(1)))
                .withSynchronizationStrategy(strategy)
                .build();
    }

    @State(Scope.Benchmark)
    public static class Bucket4jLockfreeState {
        final Bucket bucket = bucket(SynchronizationStrategy.LOCK_FREE);
    }

    @Benchmark
    public boolean bucket4jLockfree(Bucket4jLockfreeState state) {
        return state.bucket.tryConsume(1);
    }

    @State(Scope.Benchmark)
    public static class Bucket4jSynchronizedState {
        final Bucket bucket = bucket(SynchronizationStrategy.SYNCHRONIZED);
    }

    @Benchmark
    public boolean bucket4jSynchronized(Bucket4jSynchronizedState state) {
        return state.bucket.tryConsume(1);
    }
}
