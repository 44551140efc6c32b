package dev.levee.benchmarks.redis;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code redis.cache.remotehit}: a value that this process does not hold, and Redis has.
 *
 * <pre>benchmarks/compare-redis '^redis.cache.remotehit'</pre>
 */
public class CacheRemotehit {
    @Benchmark
    public @Nullable String bareLettuce(Caches.BareLettuce state) {
        return state.get(Keys1000.any());
    }

    @Benchmark
    public @Nullable String redissonMap(Caches.OfRedisson state) {
        return state.map.get(Keys1000.any());
    }

    @Benchmark
    public @Nullable Object springCache(Caches.OfSpring state) {
        return state.cache.get(Keys1000.any());
    }

    /** Of a thousand keys the near tier holds one. */
    @Benchmark
    public @Nullable String levee(Caches.OfLevee state) {
        return state.remote.get(Keys1000.any());
    }
}
