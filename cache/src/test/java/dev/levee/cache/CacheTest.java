package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.CacheConfig.Strategy;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class CacheTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");
    private final Cache<String, String> cache =
            Cache.over("letters", store, c -> c.expiryJitter(0).totals(true), time.environment());

    private Map<String, Double> metrics() {
        Map<String, Double> values = new TreeMap<>();
        cache.measure((name, metric, value) -> {
            assertThat(name).isEqualTo("letters");
            values.put(metric, value);
        });
        return values;
    }

    @Nested
    class ReadingThrough {
        @Test
        void aMissLoadsFromTheStoreAndAHitDoesNot() {
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void anAbsentValueIsNullAndIsNotRemembered() {
            assertThat(cache.get("z")).isNull();
            store.rows.put("z", "26");
            assertThat(cache.get("z")).isEqualTo("26");
            assertThat(store.log).containsExactly("load z", "load z");
        }

        @Test
        void getIfPresentDoesNotLoad() {
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void aCallersOwnLoaderIsUsedForThatCallOnly() {
            assertThat(cache.get("a", key -> key + "!")).isEqualTo("a!");
            assertThat(cache.get("a")).isEqualTo("a!");
            cache.invalidate("a");
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void aLambdaIsAStoreToReadFrom() {
            Cache<Integer, String> squares = Cache.over(n -> "" + n * n);
            assertThat(squares.get(7)).isEqualTo("49");
            assertThat(squares.name()).isEqualTo("cache");
        }
    }

    @Nested
    class WithoutAStore {
        private final Cache<String, String> bare = Cache.of("bare");

        @Test
        void valuesComeFromPutsAndFromCallersLoaders() {
            bare.put("a", "1");
            assertThat(bare.get("a")).isEqualTo("1");
            assertThat(bare.get("b", key -> "2")).isEqualTo("2");
            assertThat(bare.get("b")).isEqualTo("2");
        }

        @Test
        void aMissWithoutALoaderSaysWhatToDo() {
            assertThatIllegalStateException()
                    .isThrownBy(() -> bare.get("a"))
                    .withMessage("cache \"bare\" has no store to load from: use get(key, loader)");
        }
    }

    @Nested
    class CacheAside {
        @Test
        void putAndRemoveTouchTheCacheOnly() {
            cache.put("a", "one");
            assertThat(cache.get("a")).isEqualTo("one");
            cache.remove("a");
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(store.log).isEmpty();
            assertThat(store.rows).containsEntry("a", "1");
        }

        @Test
        void anInvalidatedKeyIsLoadedAgain() {
            cache.get("a");
            cache.get("b");
            store.rows.put("a", "one");
            cache.invalidate("a");
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.getIfPresent("b")).isEqualTo("2");
            assertThat(cache.get("a")).isEqualTo("one");
        }

        @Test
        void invalidateAllForgetsEveryValue() {
            cache.get("a");
            cache.get("b");
            cache.invalidateAll();
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.getIfPresent("b")).isNull();
            assertThat(metrics()).containsEntry("cache.size", 0.0);
        }
    }

    @Nested
    class WhenTheStoreFails {
        @Test
        void theCallerGetsAStoreExceptionWithTheCause() {
            IOException failure = new IOException("disk");
            store.before = operation -> {
                throw failure;
            };
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(() -> cache.get("a"))
                    .withMessage("cache \"letters\" could not load: java.io.IOException: disk")
                    .withCause(failure)
                    .satisfies(e -> assertThat(e.cache()).isEqualTo("letters"));
        }

        @Test
        void theFailureIsNotRemembered() {
            store.before = operation -> {
                throw new IOException("disk");
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            store.before = operation -> {};
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void anErrorIsNotWrapped() {
            AssertionError error = new AssertionError("broken");
            store.before = operation -> {
                throw error;
            };
            assertThat(catchThrowable(() -> cache.get("a"))).isSameAs(error);
            store.before = operation -> {};
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void aRefusalByAPolicyAroundTheStoreIsNotWrapped() {
            Bulkhead full = Bulkhead.of("full", 1);
            Cache<String, String> guarded = Cache.over(key -> full.call(() -> full.call(() -> key)));
            assertThat(catchThrowable(() -> guarded.get("a"))).isInstanceOf(RefusedException.class);
        }

        @Test
        void anInterruptInTheStoreIsPassedOnInTheFlagOfTheThread() {
            store.before = operation -> {
                throw new InterruptedException();
            };
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(() -> cache.get("a"))
                    .withCauseInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isTrue();
        }

        @Test
        void nothingStaysInFlight() {
            store.before = operation -> {
                throw new IOException("disk");
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            assertThat(metrics()).containsEntry("cache.loading", 0.0).containsEntry("cache.size", 0.0);
        }
    }

    @Nested
    class Reentrance {
        @Test
        void aLoaderMayUseOtherKeysAndOtherCaches() {
            Cache<Integer, Long> fibonacci = Cache.of("fibonacci");
            assertThat(fibonacci(fibonacci, 60)).isEqualTo(1548008755920L);
            Cache<Integer, String> words = Cache.over(n -> "F = " + fibonacci(fibonacci, n));
            assertThat(words.get(61)).isEqualTo("F = 2504730781961");
        }

        private static long fibonacci(Cache<Integer, Long> cache, int n) {
            Long value = cache.get(n, k -> k < 2 ? (long) k : fibonacci(cache, k - 1) + fibonacci(cache, k - 2));
            return value == null ? -1 : value;
        }

        @Test
        void aLoadThatNeedsItsOwnKeyFailsInsteadOfWaitingForItself() {
            AtomicInteger depth = new AtomicInteger();
            Cache<String, String> circle = Cache.of("circle");
            Loader<String, String> loader = new Loader<>() {
                @Override
                public String load(String key) {
                    depth.incrementAndGet();
                    return circle.get(key.equals("a") ? "b" : "a", this);
                }
            };
            assertThat(catchThrowable(() -> circle.get("a", loader)))
                    .isInstanceOf(StoreException.class)
                    .hasRootCauseInstanceOf(IllegalStateException.class)
                    .rootCause()
                    .hasMessageContaining("\"circle\"")
                    .hasMessageContaining("key a");
            assertThat(depth).hasValue(2);
            assertThat(circle.get("a", key -> "1")).isEqualTo("1");
            assertThat(circle.get("b", key -> "2")).isEqualTo("2");
        }

        @Test
        void aLoaderMayInvalidateWhatItLoads() {
            store.before = operation -> cache.invalidate("a");
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isNull();
        }
    }

    @Nested
    class Size {
        @Test
        void isBounded() {
            Cache<Integer, Integer> small =
                    Cache.over("small", n -> n, c -> c.maxSize(100).totals(true), time.environment());
            for (int i = 0; i < 10_000; i++) {
                small.get(i);
            }
            Map<String, Double> values = new TreeMap<>();
            small.measure((name, metric, value) -> values.put(metric, value));
            assertThat(values).containsEntry("cache.size", 100.0).containsEntry("cache.evictions", 9_900.0);
        }
    }

    @Nested
    class Metrics {
        @Test
        void countWhatHappened() {
            store.after = operation -> time.advance(Duration.ofNanos(5));
            cache.get("a");
            cache.get("a");
            cache.getIfPresent("a");
            cache.getIfPresent("b");
            store.before = operation -> {
                throw new IOException("disk");
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("b"));
            assertThat(metrics())
                    .isEqualTo(Map.ofEntries(
                            Map.entry("cache.size", 1.0),
                            Map.entry("cache.loading", 0.0),
                            Map.entry("cache.refreshing", 0.0),
                            Map.entry("cache.hits", 2.0),
                            Map.entry("cache.hits.absent", 0.0),
                            Map.entry("cache.hits.failed", 0.0),
                            Map.entry("cache.misses", 3.0),
                            Map.entry("cache.stale", 0.0),
                            Map.entry("cache.loads", 2.0),
                            Map.entry("cache.loads.shared", 0.0),
                            Map.entry("cache.load.failures", 1.0),
                            Map.entry("cache.load.nanos", 5.0),
                            Map.entry("cache.refreshes", 0.0),
                            Map.entry("cache.refresh.failures", 0.0),
                            Map.entry("cache.refreshes.refused", 0.0),
                            Map.entry("cache.evictions", 0.0)));
        }

        @Test
        void haveNoTotalsUnlessAskedFor() {
            Map<String, Double> values = new TreeMap<>();
            Cache.of("plain").measure((name, metric, value) -> values.put(metric, value));
            assertThat(values).containsOnlyKeys("cache.size", "cache.loading", "cache.refreshing");
        }
    }

    @Nested
    class Settings {
        @Test
        void canBeGivenAsAConfiguration() {
            CacheConfig<String, String> config =
                    CacheConfig.<String, String>builder().maxSize(7).build();
            assertThat(Cache.of("c", config)).hasToString("cache \"c\" [0 of 7, cache-aside, expires after 5m]");
            assertThat(Cache.over("o", store, config))
                    .hasToString("cache \"o\" [0 of 7, cache-aside, expires after 5m]");
            assertThat(Cache.over("o", store)).hasToString("cache \"o\" [0 of 10000, cache-aside, expires after 5m]");
            assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
        }

        @Test
        void mustNotBeNull() {
            assertThatNullPointerException()
                    .isThrownBy(() -> Cache.of("c", (Consumer<CacheConfig.Builder<String, String>>) null))
                    .withMessage("configure");
            assertThatNullPointerException()
                    .isThrownBy(() -> Cache.of("c", (CacheConfig<String, String>) null))
                    .withMessage("config");
        }

        @Test
        void areShownByToString() {
            cache.get("a");
            assertThat(cache).hasToString("cache \"letters\" [1 of 10000, cache-aside, expires after 5m]");
            assertThat(Cache.over("w", store, c -> c.writeThrough()))
                    .hasToString("cache \"w\" [0 of 10000, write-through, expires after 5m]");
        }

        @Test
        void haveSafeDefaultsAndCanBeChangedOneByOne() {
            CacheConfig<String, String> config = CacheConfig.<String, String>builder()
                    .expireAfter(Duration.ofSeconds(3))
                    .expiryJitter(0.5)
                    .maxSize(7)
                    .writeThrough()
                    .totals(true)
                    .build()
                    .toBuilder()
                    .maxSize(8)
                    .build();
            assertThat(config.expireAfter()).hasSeconds(3);
            assertThat(config.expiryJitter()).isEqualTo(0.5);
            assertThat(config.maxSize()).isEqualTo(8);
            assertThat(config.strategy()).isEqualTo(Strategy.WRITE_THROUGH);
            assertThat(config.totals()).isTrue();
            CacheConfig<String, String> defaults =
                    CacheConfig.<String, String>builder().build();
            assertThat(defaults.expireAfter()).hasMinutes(5);
            assertThat(defaults.expiryJitter()).isEqualTo(0.1);
            assertThat(defaults.maxSize()).isEqualTo(10_000);
            assertThat(defaults.strategy()).isEqualTo(Strategy.CACHE_ASIDE);
            assertThat(defaults.totals()).isFalse();
            assertThat(config.toBuilder().cacheAside().build().strategy()).isEqualTo(Strategy.CACHE_ASIDE);
        }

        @Test
        void thatAreWrongAreRefusedWithNameBoundAndValue() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CacheConfig.builder().maxSize(0))
                    .withMessage("maxSize must be at least 1, but was 0");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> CacheConfig.builder().expireAfter(Duration.ZERO))
                    .withMessage("expireAfter must be more than zero, but was 0s");
            for (double jitter : new double[] {-0.1, 1.0, Double.NaN}) {
                assertThatIllegalArgumentException()
                        .isThrownBy(() -> CacheConfig.builder().expiryJitter(jitter))
                        .withMessage("expiryJitter must be from 0 to less than 1, but was " + jitter);
            }
            assertThatIllegalArgumentException().isThrownBy(() -> Cache.of(" "));
        }

        @Test
        void thatNeedAStoreToWriteAreRefusedWithoutOne() {
            Loader<String, String> loader = key -> key;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Cache.over(loader, c -> c.writeThrough()))
                    .withMessageStartingWith("store must be a Store when strategy is WRITE_THROUGH, but was ");
            assertThatIllegalArgumentException().isThrownBy(() -> Cache.of("bare", c -> c.writeThrough()));
        }

        @Test
        void andArgumentsMustNotBeNull() {
            assertThatNullPointerException().isThrownBy(() -> cache.get(null)).withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.get("z", null))
                    .withMessage("loader");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.getIfPresent(null))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.put(null, "1"))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.put("a", null))
                    .withMessage("value");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.remove(null))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.invalidate(null))
                    .withMessage("key");
            assertThatNullPointerException()
                    .isThrownBy(() -> cache.measure(null))
                    .withMessage("sink");
            assertThatNullPointerException()
                    .isThrownBy(() -> Cache.over((Loader<String, String>) null))
                    .withMessage("store");
        }
    }
}
