package dev.levee.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.SynchronizationStrategy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code limiter.reject}: asking a rate limiter that refuses; its one permit of the day is gone.
 *
 * <pre>benchmarks/compare '^limiter.reject$'</pre>
 */
public class LimiterReject {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.ratelimit.RateLimiter limiter = LeveeParts.drainedLimiter();

        @TearDown
        public void verify() {
            Check.that(limiter.tryAcquireOrWaitNanos() > 0, "the limiter admitted");
        }
    }

    @Benchmark
    public long levee(LeveeState state) {
        return state.limiter.tryAcquireOrWaitNanos();
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final io.github.resilience4j.ratelimiter.RateLimiter limiter = Resilience4j.drainedLimiter();

        @TearDown
        public void verify() {
            Check.that(!limiter.acquirePermission(), "the limiter admitted");
        }
    }

    @Benchmark
    public boolean resilience4j(Resilience4jState state) {
        return state.limiter.acquirePermission();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final dev.failsafe.RateLimiter<String> limiter = FailsafeParts.drainedLimiter();

        @TearDown
        public void verify() {
            Check.that(!limiter.tryAcquirePermit(), "the limiter admitted");
        }
    }

    @Benchmark
    public boolean failsafe(FailsafeState state) {
        return state.limiter.tryAcquirePermit();
    }

    @State(Scope.Benchmark)
    public static class Bucket4jLockfreeState {
        final Bucket bucket = OtherLimiters.drainedBucket(SynchronizationStrategy.LOCK_FREE);

        @TearDown
        public void verify() {
            Check.that(!bucket.tryConsume(1), "the limiter admitted");
        }
    }

    @Benchmark
    public boolean bucket4jLockfree(Bucket4jLockfreeState state) {
        return state.bucket.tryConsume(1);
    }

    @State(Scope.Benchmark)
    public static class Bucket4jSynchronizedState {
        final Bucket bucket = OtherLimiters.drainedBucket(SynchronizationStrategy.SYNCHRONIZED);

        @TearDown
        public void verify() {
            Check.that(!bucket.tryConsume(1), "the limiter admitted");
        }
    }

    @Benchmark
    public boolean bucket4jSynchronized(Bucket4jSynchronizedState state) {
        return state.bucket.tryConsume(1);
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        final RateLimiter limiter = OtherLimiters.drainedGuava();

        @TearDown
        public void verify() {
            Check.that(!limiter.tryAcquire(), "the limiter admitted");
        }
    }

    @Benchmark
    public boolean guava(GuavaState state) {
        return state.limiter.tryAcquire();
    }
}
