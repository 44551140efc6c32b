package dev.levee.benchmarks.redis;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.lettuce.core.RedisClient;
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
}
