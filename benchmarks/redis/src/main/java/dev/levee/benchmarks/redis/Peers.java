package dev.levee.benchmarks.redis;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.BucketProxy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.RemoteBucketBuilder;
import io.github.bucket4j.distributed.proxy.optimization.DelayParameters;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RRateLimiter;
import org.redisson.api.RateType;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/** Limiters of others, set up as their documentation says. */
final class Peers {
    /** Permits per second of a limit that admits everything. */
    static final long PLENTY = 1_000_000_000;

    private Peers() {}

    /** Each process sends what it has used once it is 1,000 permits or 100 ms old. */
    static Optimization delaying() {
        return Optimizations.delaying(new DelayParameters(1000, Duration.ofMillis(100)));
    }

    static BucketConfiguration plenty() {
        return BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(PLENTY).refillGreedy(PLENTY, Duration.ofSeconds(1)))
                .build();
    }

    static BucketConfiguration onePerDay() {
        return BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(1).refillGreedy(1, Duration.ofDays(1)))
                .build();
    }

    static ProxyManager<byte[]> buckets(RedisClient client) {
        return Bucket4jLettuce.casBasedBuilder(client).build();
    }

    static BucketProxy bucket(
            ProxyManager<byte[]> buckets, @Nullable Optimization optimization, String name, BucketConfiguration limit) {
        RemoteBucketBuilder<byte[]> builder = buckets.builder();
        return (optimization == null ? builder : builder.withOptimization(optimization))
                .build(name.getBytes(StandardCharsets.UTF_8), () -> limit);
    }

    static RedissonClient redisson() {
        Config config = new Config();
        config.useSingleServer().setAddress("redis://127.0.0.1:" + Server.port());
        return Redisson.create(config);
    }

    static RRateLimiter limiter(RedissonClient client, long permits, Duration per) {
        RRateLimiter limiter = client.getRateLimiter(Server.newName("redisson"));
        limiter.trySetRate(RateType.OVERALL, permits, per);
        return limiter;
    }
}
