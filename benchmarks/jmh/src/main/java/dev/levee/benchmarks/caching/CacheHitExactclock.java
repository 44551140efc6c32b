package dev.levee.benchmarks.caching;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/**
 * {@code cache.hit.exactclock}: as {@code cache.hit}, with a clock that is read by each call. {@code caffeine-nanotime}
 * is Caffeine with a bound of its size and nothing else, and one reading of that clock beside it: what the figure of
 * Levee may be.
 *
 * <pre>benchmarks/compare '^cache.hit.exactclock$'</pre>
 */
public class CacheHitExactclock {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = LeveeCaches.withEverything(false);

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::getIfPresent);
            cache.close();
        }
    }

    @Benchmark
    public @Nullable String levee(LeveeState state, Turn turn) {
        return state.cache.get(turn.next());
    }

    @Benchmark
    public @Nullable String caffeineNanotime(CacheHit.CaffeineState state, Turn turn, Blackhole sink) {
        String value = state.cache.getIfPresent(turn.next());
        sink.consume(System.nanoTime());
        return value;
    }

    @Benchmark
    public @Nullable String caffeineExpireafterwrite(CacheHit.CaffeineExpireState state, Turn turn) {
        return state.cache.getIfPresent(turn.next());
    }
}
