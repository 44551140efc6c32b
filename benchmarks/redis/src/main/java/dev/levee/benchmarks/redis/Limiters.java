package dev.levee.benchmarks.redis;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import dev.levee.redis.RedisQuotaStore;
import io.github.bucket4j.distributed.BucketProxy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.redisson.api.RRateLimiter;
import org.redisson.api.RedissonClient;

/** The subjects of the questions on limits, each with a limit that admits all and one that is used up. */
public class Limiters {
    private Limiters() {}

    /** Bucket4j, in one of its modes. */
    abstract static class Bucket4j {
        private final RedisClient client = Server.lettuce();
        private final ProxyManager<byte[]> buckets = Peers.buckets(client);
        final BucketProxy plenty;
        final BucketProxy drained;

        Bucket4j(@Nullable Optimization optimization) {
            plenty = Peers.bucket(buckets, optimization, Server.newName("plenty"), Peers.plenty());
            drained = Peers.bucket(buckets, optimization, Server.newName("drained"), Peers.onePerDay());
            drained.tryConsume(1);
        }

        @TearDown
        public void close() {
            if (!plenty.tryConsume(1) || drained.tryConsume(1)) {
                throw new IllegalStateException("Bucket4j decided otherwise");
            }
            client.shutdown();
        }
    }

    @State(Scope.Benchmark)
    public static class Bucket4jCas extends Bucket4j {
        public Bucket4jCas() {
            super(null);
        }
    }

    @State(Scope.Benchmark)
    public static class Bucket4jBatching extends Bucket4j {
        public Bucket4jBatching() {
            super(Optimizations.batching());
        }
    }

    @State(Scope.Benchmark)
    public static class Bucket4jDelaying extends Bucket4j {
        public Bucket4jDelaying() {
            super(Peers.delaying());
        }
    }

    @State(Scope.Benchmark)
    public static class RedissonLimiters {
        private final RedissonClient client = Peers.redisson();
        final RRateLimiter plenty = Peers.limiter(client, Peers.PLENTY, Duration.ofSeconds(1));
        final RRateLimiter drained = Peers.limiter(client, 1, Duration.ofDays(1));

        public RedissonLimiters() {
            drained.tryAcquire();
        }

        @TearDown
        public void close() {
            if (!plenty.tryAcquire() || drained.tryAcquire()) {
                throw new IllegalStateException("Redisson decided otherwise");
            }
            plenty.delete();
            client.shutdown();
        }
    }

    /** Levee, in one of its modes. */
    abstract static class Levee {
        private final RedisClient client = Server.lettuce();
        private final StatefulRedisConnection<String, String> connection = client.connect();
        final SharedLimits limits =
                SharedLimits.of("redis", RedisQuotaStore.of(connection, config -> config.startFull(true)));
        final RateLimiter plenty;
        final RateLimiter drained;

        Levee(SharedMode mode) {
            plenty = limits.limiter(
                    Server.newName("plenty"),
                    config -> config.limit(Limit.perSecond(Peers.PLENTY)).mode(mode));
            drained = limits.limiter(
                    Server.newName("drained"),
                    config -> config.limit(Limit.of(1, Duration.ofDays(1))).mode(SharedMode.EXACT));
            drained.tryAcquire();
        }

        @TearDown
        public void close() {
            if (!plenty.tryAcquire() || drained.tryAcquire()) {
                throw new IllegalStateException("Levee decided otherwise");
            }
            limits.close();
            connection.close();
            client.shutdown();
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeExact extends Levee {
        public LeveeExact() {
            super(SharedMode.EXACT);
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeLeased extends Levee {
        public LeveeLeased() {
            super(SharedMode.LEASED);
        }
    }

    /** Of this process alone. */
    @State(Scope.Benchmark)
    public static class LeveeLocal {
        final RateLimiter plenty = RateLimiter.of("plenty", Limit.perSecond(Peers.PLENTY));
        final RateLimiter drained = RateLimiter.of("drained", Limit.of(1, Duration.ofDays(1)));

        public LeveeLocal() {
            drained.tryAcquire();
        }
    }
}
