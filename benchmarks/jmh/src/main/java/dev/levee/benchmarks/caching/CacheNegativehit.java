package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Optional;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.negativehit}: a key of which the cache knows that the store has no value. Caffeine and Guava hold no
 * nulls, so that theirs is an empty {@link Optional}, as an application would have it.
 *
 * <pre>benchmarks/compare '^cache.negativehit$'</pre>
 */
public class CacheNegativehit {
    private static void verify(boolean absent) {
        if (!absent) {
            throw new IllegalStateException("a value where the store has none");
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = LeveeCaches.ofAbsentValues();

        @Setup
        public void fill() {
            for (int i = 0; i < Given.KEYS; i++) {
                verify(cache.get(Given.key(i)) == null);
            }
        }

        @TearDown
        public void close() {
            cache.close();
        }
    }

    @Benchmark
    public @Nullable String levee(LeveeState state, Turn turn) {
        return state.cache.get(turn.next());
    }

    @State(Scope.Benchmark)
    public static class CaffeineState {
        final com.github.benmanes.caffeine.cache.LoadingCache<Integer, Optional<String>> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .build(key -> Optional.empty());

        @Setup
        public void fill() {
            for (int i = 0; i < Given.KEYS; i++) {
                verify(cache.get(Given.key(i)).isEmpty());
            }
        }
    }

    @Benchmark
    public @Nullable String caffeine(CaffeineState state, Turn turn) {
        return state.cache.get(turn.next()).orElse(null);
    }

    @State(Scope.Benchmark)
    public static class Cache2kState {
        final org.cache2k.Cache<Integer, String> cache = Cache2kBuilder.of(Integer.class, String.class)
                .entryCapacity(Given.MAX_SIZE)
                .expireAfterWrite(Given.LIFE)
                .permitNullValues(true)
                .build();

        @Setup
        public void fill() {
            for (int i = 0; i < Given.KEYS; i++) {
                cache.put(Given.key(i), null);
            }
        }

        @TearDown
        public void close() {
            verify(cache.containsKey(Given.key(0)));
            cache.close();
        }
    }

    @Benchmark
    public @Nullable String cache2k(Cache2kState state, Turn turn) {
        return state.cache.get(turn.next());
    }
}
