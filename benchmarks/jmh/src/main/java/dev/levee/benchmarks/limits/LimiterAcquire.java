package dev.levee.benchmarks.limits;

import com.google.common.util.concurrent.RateLimiter;
import dev.levee.ratelimit.Limit;
import io.github.bucket4j.BlockingBucket;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code limiter.acquire}: taking a permit by the form that may wait, while there are permits; the rate is too high to
 * be reached.
 *
 * <pre>benchmarks/compare '^limiter.acquire$'</pre>
 */
public class LimiterAcquire {
    private static final long PER_SECOND = 1_000_000_000L;
    private static final Duration MAX_WAIT = Duration.ofSeconds(1);

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.ratelimit.RateLimiter limiter =
                dev.levee.ratelimit.RateLimiter.of("acquire", Limit.perSecond(PER_SECOND));
    }

    @Benchmark
    public void levee(LeveeState state) throws InterruptedException {
        state.limiter.acquire(1, MAX_WAIT);
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        final RateLimiter limiter = RateLimiter.create(PER_SECOND);
    }

    @Benchmark
    public double guava(GuavaState state) {
        return state.limiter.acquire();
    }

    @State(Scope.Benchmark)
    public static class FailsafeState {
        final dev.failsafe.RateLimiter<String> limiter = dev.failsafe.RateLimiter.<String>burstyBuilder(
                        PER_SECOND, Duration.ofSeconds(1))
                .build();
    }

    @Benchmark
    public void failsafe(FailsafeState state) throws InterruptedException {
        state.limiter.acquirePermit();
    }

    @State(Scope.Benchmark)
    public static class Bucket4jLockfreeState {
        final BlockingBucket bucket = Bucket.builder()
                .addLimit(limit -> limit.capacity(PER_SECOND).refillGreedy(PER_SECOND, Duration.ofSeconds(1)))
                .build()
                .asBlocking();
    }

    @Benchmark
    public void bucket4jLockfree(Bucket4jLockfreeState state) throws InterruptedException {
        state.bucket.consume(1);
    }
}
