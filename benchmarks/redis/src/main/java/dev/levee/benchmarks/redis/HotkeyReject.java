package dev.levee.benchmarks.redis;

import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code redis.hotkey.reject}: a refusal of one limit that all processes share, whose one permit of the day is gone.
 *
 * <pre>benchmarks/compare-redis '^redis.hotkey'</pre>
 */
public class HotkeyReject {
    @Benchmark
    public boolean bucket4jCas(Limiters.Bucket4jCas state) {
        return state.drained.tryConsume(1);
    }

    @Benchmark
    public boolean bucket4jBatching(Limiters.Bucket4jBatching state) {
        return state.drained.tryConsume(1);
    }

    @Benchmark
    public boolean bucket4jDelaying(Limiters.Bucket4jDelaying state) {
        return state.drained.tryConsume(1);
    }

    @Benchmark
    public boolean redisson(Limiters.RedissonLimiters state) {
        return state.drained.tryAcquire();
    }

    @Benchmark
    public boolean leveeExact(Limiters.LeveeExact state) {
        return state.drained.tryAcquire();
    }

    @Benchmark
    public boolean leveeLeased(Limiters.LeveeLeased state) {
        return state.drained.tryAcquire();
    }

    @Benchmark
    public boolean leveeLocal(Limiters.LeveeLocal state) {
        return state.drained.tryAcquire();
    }
}
