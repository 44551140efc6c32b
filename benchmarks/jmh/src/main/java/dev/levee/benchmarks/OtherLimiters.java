package dev.levee.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.SynchronizationStrategy;
import java.time.Duration;

/** The rate limiters of Bucket4j and Guava. Bucket4j's millisecond clock, its default, is its fastest. */
final class OtherLimiters {
    private OtherLimiters() {}

    static Bucket admittingBucket(SynchronizationStrategy strategy) {
        return bucket(strategy, Settings.NEVER_REACHED_PER_SECOND, Duration.ofSeconds(1));
    }

    static Bucket drainedBucket(SynchronizationStrategy strategy) {
        Bucket bucket = bucket(strategy, 1, Duration.ofDays(1));
        Check.that(bucket.tryConsume(1), "the bucket did not start full");
        return bucket;
    }

    private static Bucket bucket(SynchronizationStrategy strategy, long tokens, Duration period) {
        return Bucket.builder()
                .addLimit(limit -> limit.capacity(tokens).refillGreedy(tokens, period))
                .withSynchronizationStrategy(strategy)
                .build();
    }

    static RateLimiter admittingGuava() {
        return RateLimiter.create(Settings.NEVER_REACHED_PER_SECOND);
    }

    static RateLimiter drainedGuava() {
        RateLimiter limiter = RateLimiter.create(1e-5);
        limiter.acquire();
        return limiter;
    }
}
