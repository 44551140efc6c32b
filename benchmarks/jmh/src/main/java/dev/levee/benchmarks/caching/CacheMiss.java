package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.miss}: a key that is not there, read from a store that answers at once, and put in place of another one,
 * since the cache is full. Values expire after a time that none of them lives to see. Some keys are there by chance,
 * for all subjects alike.
 *
 * <pre>benchmarks/compare '^cache.miss$'</pre>
 */
public class CacheMiss {
    private static final String VALUE = "value";

    /** A key of more than four thousand million, so that nearly none is read again while it is there. */
    private static Integer key(Turn turn) {
        return Integer.reverse(turn.count() * 0x9E3779B1);
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = dev.levee.cache.Cache.over(
                "miss", key -> VALUE, c -> c.maxSize(Given.MAX_SIZE_OF_MISSES).expireAfter(Given.LIFE));
    }

    @Benchmark
    public @Nullable String levee(LeveeState state, Turn turn) {
        return state.cache.get(key(turn));
    }

    @State(Scope.Benchmark)
    public static class CaffeineState {
        final com.github.benmanes.caffeine.cache.LoadingCache<Integer, String> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE_OF_MISSES)
                .expireAfterWrite(Given.LIFE)
                .build(key -> VALUE);
    }

    @Benchmark
    public @Nullable String caffeine(CaffeineState state, Turn turn) {
        return state.cache.get(key(turn));
    }

    @State(Scope.Benchmark)
    public static class Cache2kState {
        final org.cache2k.Cache<Integer, String> cache = Cache2kBuilder.of(Integer.class, String.class)
                .entryCapacity(Given.MAX_SIZE_OF_MISSES)
                .expireAfterWrite(Given.LIFE)
                .loader(key -> VALUE)
                .build();

        @TearDown
        public void close() {
            cache.close();
        }
    }

    @Benchmark
    public @Nullable String cache2k(Cache2kState state, Turn turn) {
        return state.cache.get(key(turn));
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        final com.google.common.cache.LoadingCache<Integer, String> cache = CacheBuilder.newBuilder()
                .maximumSize(Given.MAX_SIZE_OF_MISSES)
                .expireAfterWrite(Given.LIFE)
                .build(CacheLoader.from(() -> VALUE));
    }

    @Benchmark
    public @Nullable String guava(GuavaState state, Turn turn) {
        return state.cache.getUnchecked(key(turn));
    }

    @State(Scope.Benchmark)
    public static class EhcacheState {
        final EhcacheOnHeap ehcache = new EhcacheOnHeap(Given.MAX_SIZE_OF_MISSES, key -> VALUE);

        @TearDown
        public void close() {
            ehcache.close();
        }
    }

    @Benchmark
    public @Nullable String ehcache(EhcacheState state, Turn turn) {
        return state.ehcache.cache.get(key(turn));
    }
}
