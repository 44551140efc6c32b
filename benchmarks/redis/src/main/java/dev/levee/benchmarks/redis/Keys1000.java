package dev.levee.benchmarks.redis;

import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import dev.levee.redis.RedisQuotaStore;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code redis.1000keys}: a permit of one of a thousand keys, each as likely as the others.
 *
 * <pre>benchmarks/compare-redis '^redis.1000keys'</pre>
 */
public class Keys1000 {
    private static final String[] KEYS = new String[1000];

    static {
        for (int i = 0; i < KEYS.length; i++) {
            KEYS[i] = "tenant-" + i;
        }
    }

    /** Returns the keys. */
    static String[] all() {
        return KEYS.clone();
    }

    /** Returns one of the keys. */
    static String any() {
        return KEYS[ThreadLocalRandom.current().nextInt(KEYS.length)];
    }

    /** Bucket4j, in one of its modes; a bucket is found by its key for each call, as its documentation does it. */
    abstract static class Bucket4j {
        private final RedisClient client = Server.lettuce();
        private final ProxyManager<byte[]> buckets = Peers.buckets(client);
        private final String prefix = Server.newName("keys") + "-";
        private final BucketConfiguration limit = Peers.plenty();
        private final @Nullable Optimization optimization;

        Bucket4j(@Nullable Optimization optimization) {
            this.optimization = optimization;
        }

        boolean tryConsume(String key) {
            return Peers.bucket(buckets, optimization, prefix + key, limit).tryConsume(1);
        }

        @TearDown
        public void close() {
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

    @Benchmark
    public boolean bucket4jCas(Bucket4jCas state) {
        return state.tryConsume(any());
    }

    @Benchmark
    public boolean bucket4jBatching(Bucket4jBatching state) {
        return state.tryConsume(any());
    }

    /** Levee, with the defaults for keys. */
    @State(Scope.Benchmark)
    public static class LeveeKeys {
        private final RedisClient client = Server.lettuce();
        private final StatefulRedisConnection<String, String> connection = client.connect();
        private final SharedLimits limits =
                SharedLimits.of("redis", RedisQuotaStore.of(connection, config -> config.startFull(true)));
        final KeyedRateLimiter<String> exact = keyed(SharedMode.EXACT);
        final KeyedRateLimiter<String> leased = keyed(SharedMode.LEASED);

        private KeyedRateLimiter<String> keyed(SharedMode mode) {
            return limits.keyed(
                    Server.newName("keys"),
                    config -> config.limit(Limit.perSecond(Peers.PLENTY)).mode(mode));
        }

        @TearDown
        public void close() {
            limits.close();
            connection.close();
            client.shutdown();
        }
    }

    @Benchmark
    public boolean leveeExact(LeveeKeys state) {
        return state.exact.tryAcquire(any());
    }

    @Benchmark
    public boolean leveeLeased(LeveeKeys state) {
        return state.leased.tryAcquire(any());
    }
}
