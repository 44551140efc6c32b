package dev.levee.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.SynchronizationStrategy;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code limiter.admit}: asking a rate limiter that admits; its rate is too high to be reached.
 *
 * <pre>benchmarks/compare '^limiter.admit$'</pre>
 */
public class LimiterAdmit {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.ratelimit.RateLimiter limiter = LeveeParts.admittingLimiter();

        @TearDown
        public void verify() {
            Check.that(limiter.tryAcquireOrWaitNanos() == 0, "the limiter refused");
        }
    }

    @Benchmark
    public long levee(LeveeState state) {
        return state.limiter.tryAcquireOrWaitNanos();
    }

    @State(Scope.Benchmark)
    public static class Resilience4jState {
        final io.github.resilience4j.ratelimiter.RateLimiter limiter = Resilience4j.admittingLimiter();

        @TearDown
        public void verify() {
            Check.that(limiter.acquirePermission(), "the limiter refused");
        }
    }

    @Benchmark
    public boolean resilience4j(Resilience4jState state) {
        return state.limiter.acquirePermission();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final dev.failsafe.RateLimiter<String> limiter = FailsafeParts.admittingLimiter();

        @TearDown
        public void verify() {
            Check.that(limiter.tryAcquirePermit(), "the limiter refused");
        }
    }

    @Benchmark
    public boolean failsafe(FailsafeState state) {
        return state.limiter.tryAcquirePermit();
    }

    @State(Scope.Benchmark)
    public static class Bucket4jLockfreeState {
        final Bucket bucket = OtherLimiters.admittingBucket(SynchronizationStrategy.LOCK_FREE);

        @TearDown
        public void verify() {
            Check.that(bucket.tryConsume(1), "the limiter refused");
        }
    }

    @Benchmark
    public boolean bucket4jLockfree(Bucket4jLockfreeState state) {
        return state.bucket.tryConsume(1);
    }

    @State(Scope.Benchmark)
    public static class Bucket4jSynchronizedState {
        final Bucket bucket = OtherLimiters.admittingBucket(SynchronizationStrategy.SYNCHRONIZED);

        @TearDown
        public void verify() {
            Check.that(bucket.tryConsume(1), "the limiter refused");
        }
    }

    @Benchmark
    public boolean bucket4jSynchronized(Bucket4jSynchronizedState state) {
        return state.bucket.tryConsume(1);
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        final RateLimiter limiter = OtherLimiters.admittingGuava();

        @TearDown
        public void verify() {
            Check.that(limiter.tryAcquire(), "the limiter refused");
        }
    }

    @Benchmark
    public boolean guava(GuavaState state) {
        return state.limiter.tryAcquire();
    }
}
