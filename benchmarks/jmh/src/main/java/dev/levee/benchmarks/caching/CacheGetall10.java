package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

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

    @Benchmark
    public Map<Integer, String> levee(CacheHit.LeveeState state, Batches batches) {
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

    @Benchmark
    public Map<Integer, String> cache2k(CacheHit.Cache2kState state, Batches batches) {
        return ten(state.cache.getAll(batches.next()));
    }

    @Benchmark
    public Map<Integer, String> guava(CacheHit.GuavaState state, Batches batches) {
        return ten(state.cache.getAllPresent(batches.next()));
    }

    @Benchmark
    public Map<Integer, String> ehcache(CacheHit.EhcacheState state, Batches batches) {
        return ten(state.ehcache.cache.getAll(batches.next()));
    }
}
