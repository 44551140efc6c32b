package dev.levee.benchmarks.redis;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code redis.cache.nearhit}: a value that this process holds, of a cache whose truth is in Redis.
 *
 * <pre>benchmarks/compare-redis '^redis.cache.nearhit'</pre>
 */
public class CacheNearhit {
    @Benchmark
    public @Nullable String caffeineAlone(Caches.OfCaffeine state) {
        return state.cache.getIfPresent(Keys1000.any());
    }

    @Benchmark
    public @Nullable String redissonLocalCachedMap(Caches.OfRedisson state) {
        return state.local.get(Keys1000.any());
    }

    @Benchmark
    public @Nullable String leveeNear(Caches.OfLevee state) {
        return state.near.get(Keys1000.any());
    }

    @Benchmark
    public @Nullable String leveeLocal(Caches.OfLevee state) {
        return state.local.get(Keys1000.any());
    }
}
