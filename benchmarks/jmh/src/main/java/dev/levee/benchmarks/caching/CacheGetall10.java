package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.cache2k.Cache2kBuilder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.getall10}: ten keys in one call, all of which are there.
 *
 * <pre>benchmarks/compare '^cache.getall10$'</pre>
 */
public class CacheGetall10 {
    private static final int BATCHES = 1 << 10;

    /** Sets of ten keys, made before. */
    @State(Scope.Thread)
    public static class Batches {
        @SuppressWarnings({"unchecked", "rawtypes"}) // an array of sets
        private final Set<Integer>[] batches = new Set[BATCHES];

        private int next;

        @Setup
        public void fill() {
            Turn turn = new Turn();
            for (int i = 0; i < BATCHES; i++) {
                batches[i] = new LinkedHashSet<>();
                while (batches[i].size() < 10) {
                    batches[i].add(turn.next());
                }
            }
        }

        Set<Integer> next() {
            return batches[next++ & BATCHES - 1];
        }
    }

    private static Map<Integer, String> ten(Map<Integer, String> found) {
        if (found.size() != 10) {
            throw new IllegalStateException(found.size() + " of 10");
        }
        return found;
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = LeveeCaches.withEverything(true);

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }

        @TearDown
        public void close() {
            cache.close();
        }
    }

    @Benchmark
    public Map<Integer, String> levee(LeveeState state, Batches batches) {
        return ten(state.cache.getAll(batches.next()));
    }

    @State(Scope.Benchmark)
    public static class CaffeineState {
        final com.github.benmanes.caffeine.cache.LoadingCache<Integer, String> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .build(Given::value);

        @Setup
        public void fill() {
            Given.fill(cache::put);
        }
    }

    @Benchmark
    public Map<Integer, String> caffeine(CaffeineState state, Batches batches) {
        return ten(state.cache.getAll(batches.next()));
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
        public void close() {
            cache.close();
        }
    }

    @Benchmark
    public Map<Integer, String> cache2k(Cache2kState state, Batches batches) {
        return ten(state.cache.getAll(batches.next()));
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
    }

    @Benchmark
    public Map<Integer, String> guava(GuavaState state, Batches batches) {
        return ten(state.cache.getAllPresent(batches.next()));
    }

    @State(Scope.Benchmark)
    public static class EhcacheState {
        final EhcacheOnHeap ehcache = new EhcacheOnHeap(Given.MAX_SIZE);

        @Setup
        public void fill() {
            Given.fill(ehcache.cache::put);
        }

        @TearDown
        public void close() {
            ehcache.close();
        }
    }

    @Benchmark
    public Map<Integer, String> ehcache(EhcacheState state, Batches batches) {
        return ten(state.ehcache.cache.getAll(batches.next()));
    }
}
