package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.internal.Nanos;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/**
 * What one outage policy admits of one key in one outage, and what of it time has not paid when it is over.
 * Thread-safe.
 */
final class OutageShare {
    private final boolean isOpen;
    private final RateLimiter bucket;
    private final long full;
    private final LongAdder admitted = new LongAdder();

    /**
     * Makes a share.
     *
     * @param remaining how many permits the store had left when it was asked last
     */
    OutageShare(String name, OnOutage policy, Limit limit, long remaining, Environment environment) {
        isOpen = policy.isOpen();
        TokenBucketLimit share = isOpen ? bucket(limit, 1) : bucket(limit, policy.fraction);
        full = share.burst();
        long first = isOpen ? full : Math.min(full, (long) Math.ceil(Math.max(0, remaining) * policy.fraction));
        bucket = RateLimiter.of(
                name,
                config -> config.limit(share).initialPermits(first),
                environment.toBuilder().listener(Listener.NONE).build());
    }

    private static TokenBucketLimit bucket(Limit limit, double fraction) {
        long burst = Math.max(1, (long) (limit.capacity() * fraction));
        // As slow as a bucket can be, where the fraction of a slow limit would be slower.
        BigDecimal slowest = BigDecimal.valueOf(Nanos.NEVER - 1)
                .multiply(BigDecimal.valueOf(limit.permits()))
                .divide(BigDecimal.valueOf(burst), 0, RoundingMode.FLOOR)
                .min(BigDecimal.valueOf(Nanos.NEVER - 1));
        BigDecimal per = BigDecimal.valueOf(limit.per().toNanos())
                .divide(BigDecimal.valueOf(fraction), 0, RoundingMode.CEILING)
                .min(slowest);
        return new TokenBucketLimit(limit.permits(), Duration.ofNanos(per.longValueExact()), burst);
    }

    /** Returns 0 if permits were taken, else for how long it would have to wait. */
    long take(long permits) {
        if (isOpen) {
            bucket.settle(permits);
            admitted.add(permits);
            return 0;
        }
        long wait = bucket.tryAcquireOrWaitNanos(permits);
        if (wait == 0) {
            admitted.add(permits);
        }
        return wait;
    }

    /** Returns how many of the permits that were admitted time has not given back. */
    long owed() {
        long used = full - bucket.availablePermits();
        return Math.min(admitted.sum(), used);
    }
}
