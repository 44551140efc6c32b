package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.CacheConfig.Strategy;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** Random histories of one thread, against a map with times beside a map of rows. */
class CacheModelTest {
    private static final long LIFE = 1_000;

    /** What is done; each step says what came out, in words. */
    private enum Kind {
        GET,
        GET_IF_PRESENT,
        GET_WITH_LOADER,
        PUT,
        REMOVE,
        PUT_IF_ABSENT,
        REPLACE,
        REMOVE_VALUE,
        INVALIDATE,
        INVALIDATE_ALL,
        CHANGE_ROW,
        DELETE_ROW,
        ADVANCE,
        BREAK_STORE_BEFORE,
        BREAK_STORE_AFTER,
        MEND_STORE
    }

    private record Step(Kind kind, String key, int number) {}

    @Provide
    Arbitrary<List<Step>> histories() {
        Arbitrary<Kind> kinds = Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.of(Kind.GET, Kind.GET_IF_PRESENT, Kind.PUT, Kind.ADVANCE)),
                Tuple.of(2, Arbitraries.of(Kind.values())),
                Tuple.of(2, Arbitraries.of(Kind.PUT_IF_ABSENT, Kind.REPLACE, Kind.REMOVE_VALUE)),
                Tuple.of(1, Arbitraries.just(Kind.MEND_STORE)));
        Arbitrary<Integer> numbers = Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.integers().between(0, 400)),
                Tuple.of(1, Arbitraries.of((int) LIFE - 1, (int) LIFE, (int) LIFE + 1)));
        return Combinators.combine(kinds, Arbitraries.of("a", "b", "c"), numbers)
                .as(Step::new)
                .list()
                .ofMaxSize(200);
    }

    @Property(
            tries = 1_000,
            edgeCases = EdgeCasesMode.NONE) // they would take most of the tries, with histories of no length
    void theCacheDoesWhatTheModelDoes(
            @ForAll("histories") List<Step> history, @ForAll Strategy strategy, @ForAll long origin) {
        ManualTime time = ManualTime.startingAt(origin);
        MapStore store = new MapStore();
        CacheConfig.Builder<String, String> config = CacheConfig.<String, String>builder()
                .expireAfter(Duration.ofNanos(LIFE))
                .expiryJitter(0);
        Cache<String, String> cache = Cache.over(
                "letters",
                store,
                switch (strategy) {
                    case CACHE_ASIDE -> config.cacheAside().build();
                    case WRITE_THROUGH -> config.writeThrough().build();
                    case WRITE_AROUND -> config.writeAround().build();
                },
                time.environment());
        Model model = new Model(strategy);
        List<String> done = new ArrayList<>();
        for (Step step : history) {
            String expected = model.apply(step);
            String actual = apply(step, cache, store, time);
            done.add(step + " -> " + actual);
            assertThat(actual).as(() -> String.join("\n", done)).isEqualTo(expected);
            assertThat(store.rows).as(() -> String.join("\n", done)).isEqualTo(model.rows);
            assertThat(store.log).as(() -> String.join("\n", done)).isEqualTo(model.log);
        }
    }

    private static String apply(Step step, Cache<String, String> cache, MapStore store, ManualTime time) {
        String key = step.key;
        String[] result = {"done"};
        Throwable thrown = catchThrowable(() -> {
            switch (step.kind) {
                case GET -> result[0] = cache.get(key);
                case GET_IF_PRESENT -> result[0] = cache.getIfPresent(key);
                case GET_WITH_LOADER -> result[0] = cache.get(key, k -> k + step.number);
                case PUT -> cache.put(key, key + step.number);
                case REMOVE -> cache.remove(key);
                case PUT_IF_ABSENT -> result[0] = cache.putIfAbsent(key, key + step.number);
                case REPLACE -> result[0] = "" + cache.replace(key, expected(step, cache, store), key + step.number);
                case REMOVE_VALUE -> result[0] = "" + cache.remove(key, expected(step, cache, store));
                case INVALIDATE -> cache.invalidate(key);
                case INVALIDATE_ALL -> cache.invalidateAll();
                case CHANGE_ROW -> store.rows.put(key, key + step.number);
                case DELETE_ROW -> store.rows.remove(key);
                case ADVANCE -> time.advance(Duration.ofNanos(step.number));
                case BREAK_STORE_BEFORE -> store.before = CacheModelTest::fail;
                case BREAK_STORE_AFTER -> store.after = CacheModelTest::fail;
                case MEND_STORE -> {
                    store.before = operation -> {};
                    store.after = operation -> {};
                }
            }
        });
        return thrown == null ? Objects.toString(result[0]) : thrown.getClass().getSimpleName();
    }

    /** What a change expects: what there is, or something else. */
    private static String expected(Step step, Cache<String, String> cache, MapStore store) {
        String held = cache.getIfPresent(step.key);
        return step.number % 3 == 0 ? "else" : held != null ? held : store.rows.getOrDefault(step.key, "none");
    }

    private static void fail(String operation) throws IOException {
        throw new IOException(operation);
    }

    /** The rows, and beside them what the cache may still say. */
    private static final class Model {
        final Map<String, String> rows = new HashMap<>();
        final List<String> log = new ArrayList<>();
        private final Map<String, Cached> cached = new HashMap<>();
        private final boolean writes;
        private final boolean around;
        private long now;
        private boolean failsBefore;
        private boolean failsAfter;

        Model(Strategy strategy) {
            writes = strategy != Strategy.CACHE_ASIDE;
            around = strategy == Strategy.WRITE_AROUND;
        }

        private record Cached(String value, long until) {}

        String apply(Step step) {
            String key = step.key;
            String value = key + step.number;
            switch (step.kind) {
                case GET -> {
                    return Objects.toString(live(key) != null ? live(key) : load(key));
                }
                case GET_IF_PRESENT -> {
                    return Objects.toString(live(key));
                }
                case GET_WITH_LOADER -> {
                    if (live(key) == null) {
                        cached.put(key, new Cached(value, now + LIFE));
                    }
                    return Objects.toString(live(key));
                }
                case PUT -> {
                    return put(key, value);
                }
                case REMOVE -> {
                    return remove(key);
                }
                case PUT_IF_ABSENT -> {
                    String held = held(key);
                    return held == null ? put(key, value).replace("done", "null") : held;
                }
                case REPLACE -> {
                    return onlyIfExpected(step, () -> put(key, value));
                }
                case REMOVE_VALUE -> {
                    return onlyIfExpected(step, () -> remove(key));
                }
                case INVALIDATE -> cached.remove(key);
                case INVALIDATE_ALL -> cached.clear();
                case CHANGE_ROW -> rows.put(key, value);
                case DELETE_ROW -> rows.remove(key);
                case ADVANCE -> now += step.number;
                case BREAK_STORE_BEFORE -> failsBefore = true;
                case BREAK_STORE_AFTER -> failsAfter = true;
                case MEND_STORE -> {
                    failsBefore = false;
                    failsAfter = false;
                }
            }
            return "done";
        }

        private @Nullable String live(String key) {
            Cached entry = cached.get(key);
            return entry == null || now >= entry.until ? null : entry.value;
        }

        private @Nullable String load(String key) {
            log.add("load " + key);
            if (failsBefore || failsAfter) {
                return "StoreException";
            }
            String row = rows.get(key);
            if (row != null) {
                cached.put(key, new Cached(row, now + LIFE));
            }
            return row;
        }

        /** What a change compares with. */
        private @Nullable String held(String key) {
            return live(key) != null || !writes ? live(key) : load(key);
        }

        private String onlyIfExpected(Step step, Supplier<String> change) {
            String present = live(step.key);
            String expected =
                    step.number % 3 == 0 ? "else" : present != null ? present : rows.getOrDefault(step.key, "none");
            String held = held(step.key);
            if ("StoreException".equals(held)) {
                return held;
            }
            return expected.equals(held) ? change.get().replace("done", "true") : "false";
        }

        private String put(String key, String value) {
            if (writes) {
                log.add("save " + key + " " + value);
                cached.remove(key);
                if (!failsBefore) {
                    rows.put(key, value);
                }
                if (failsBefore || failsAfter) {
                    return "StoreException";
                }
            }
            if (!around) {
                cached.put(key, new Cached(value, now + LIFE));
            }
            return "done";
        }

        private String remove(String key) {
            cached.remove(key);
            if (writes) {
                log.add("delete " + key);
                if (!failsBefore) {
                    rows.remove(key);
                }
                if (failsBefore || failsAfter) {
                    return "StoreException";
                }
            }
            return "done";
        }
    }
}
