package dev.levee.benchmarks.redis;

import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code redis.hotkey.accept}: a permit of one limit that all processes share, of which there is always one.
 *
 * <pre>benchmarks/compare-redis '^redis.hotkey'</pre>
 */
public class HotkeyAccept {
    @Benchmark
    public boolean bucket4jCas(Limiters.Bucket4jCas state) {
        return state.plenty.tryConsume(1);
    }

    @Benchmark
    public boolean bucket4jBatching(Limiters.Bucket4jBatching state) {
        return state.plenty.tryConsume(1);
    }

    @Benchmark
    public boolean bucket4jDelaying(Limiters.Bucket4jDelaying state) {
        return state.plenty.tryConsume(1);
    }

    @Benchmark
    public boolean redisson(Limiters.RedissonLimiters state) {
        return state.plenty.tryAcquire();
    }

    @Benchmark
    public boolean leveeExact(Limiters.LeveeExact state) {
        return state.plenty.tryAcquire();
    }

    @Benchmark
    public boolean leveeLeased(Limiters.LeveeLeased state) {
        return state.plenty.tryAcquire();
    }

    @Benchmark
    public boolean leveeLocal(Limiters.LeveeLocal state) {
        return state.plenty.tryAcquire();
    }
}
