package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.hit}: a value that is there and fresh. Levee's has everything on that a hit has to look at: expiry,
 * stale-while-revalidate, early expiry and entries of absent values; its clock is the coarse one. The first row of
 * Caffeine has a bound of its size and nothing else.
 *
 * <pre>benchmarks/compare '^cache.hit$'</pre>
 */
public class CacheHit {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = LeveeCaches.withEverything(true);

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

    @State(Scope.Benchmark)
    public static class CaffeineState {
        final com.github.benmanes.caffeine.cache.Cache<Integer, String> cache =
                Caffeine.newBuilder().maximumSize(Given.MAX_SIZE).build();

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::getIfPresent);
        }
    }

    @Benchmark
    public @Nullable String caffeine(CaffeineState state, Turn turn) {
        return state.cache.getIfPresent(turn.next());
    }

    @State(Scope.Benchmark)
    public static class CaffeineExpireState {
        final com.github.benmanes.caffeine.cache.Cache<Integer, String> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .build();

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::getIfPresent);
        }
    }

    @Benchmark
    public @Nullable String caffeineExpireafterwrite(CaffeineExpireState state, Turn turn) {
        return state.cache.getIfPresent(turn.next());
    }

    @State(Scope.Benchmark)
    public static class CaffeineRefreshState {
        final com.github.benmanes.caffeine.cache.LoadingCache<Integer, String> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .refreshAfterWrite(Given.FRESH)
                .build(Given::value);

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::getIfPresent);
        }
    }

    @Benchmark
    public @Nullable String caffeineRefreshafterwrite(CaffeineRefreshState state, Turn turn) {
        return state.cache.get(turn.next());
    }

    @State(Scope.Benchmark)
    public static class Cache2kState {
        final org.cache2k.Cache<Integer, String> cache = Cache2kBuilder.of(Integer.class, String.class)
                .entryCapacity(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .loader(Given::value)
                .build();

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::peek);
            cache.close();
        }
    }

    @Benchmark
    public @Nullable String cache2k(Cache2kState state, Turn turn) {
        return state.cache.get(turn.next());
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        final com.google.common.cache.Cache<Integer, String> cache = CacheBuilder.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .build();

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(cache::getIfPresent);
        }
    }

    @Benchmark
    public @Nullable String guava(GuavaState state, Turn turn) {
        return state.cache.getIfPresent(turn.next());
    }

    @State(Scope.Benchmark)
    public static class EhcacheState {
        final EhcacheOnHeap ehcache = new EhcacheOnHeap(Given.MAX_SIZE);

        @Setup
        public void fill() {
            Given.fill(ehcache.cache::put);
        }

        @TearDown
        public void verify() {
            Given.verifyFull(ehcache.cache::get);
            ehcache.close();
        }
    }

    @Benchmark
    public @Nullable String ehcache(EhcacheState state, Turn turn) {
        return state.ehcache.cache.get(turn.next());
    }
}
