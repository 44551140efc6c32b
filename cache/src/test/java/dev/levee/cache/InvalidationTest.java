package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Readings;
import dev.levee.core.testing.ManualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A load is parked after it has read the store; meanwhile the value changes. */
class InvalidationTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "old", "b", "2");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> {}, time.environment());
    private final Stop stop = new Stop();

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private FutureTask<String> loadThatHasReadTheOldValue() throws Exception {
        store.after = operation -> stop.pass();
        FutureTask<String> load = start(() -> cache.get("a"));
        stop.awaitReached();
        return load;
    }

    static List<Named<Consumer<Cache<String, String>>>> invalidations() {
        return List.of(
                Named.of("invalidate", cache -> cache.invalidate("a")),
                Named.of("remove", cache -> cache.remove("a")),
                Named.of("invalidateAll", cache -> cache.invalidateAll()),
                Named.of("put, then invalidate", cache -> {
                    cache.put("a", "interim");
                    cache.invalidate("a");
                }));
    }

    @Nested
    class AValueReadBeforeItsKeyWasInvalidated {
        static List<Named<Consumer<Cache<String, String>>>> invalidations() {
            return InvalidationTest.invalidations();
        }

        @ParameterizedTest
        @MethodSource("invalidations")
        void isNotCachedWhenItArrives(Consumer<Cache<String, String>> invalidation) throws Exception {
            FutureTask<String> load = loadThatHasReadTheOldValue();
            store.rows.put("a", "new");
            invalidation.accept(cache);
            stop.release();
            assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("new");
        }

        @ParameterizedTest
        @MethodSource("invalidations")
        void isReturnedToCallersThatWaitedAndNotToLaterOnes(Consumer<Cache<String, String>> invalidation)
                throws Exception {
            FutureTask<String> load = loadThatHasReadTheOldValue();
            FutureTask<String> waiter = start(() -> cache.get("a"));
            time.awaitSleepers(1);
            store.rows.put("a", "new");
            invalidation.accept(cache);
            assertThat(cache.get("a")).isEqualTo("new"); // does not wait for the old load
            stop.release();
            assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(waiter.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(store.log).containsExactly("load a", "load a");
        }

        @Test
        void doesNotEndTheLoadThatCameAfterIt() throws Exception {
            FutureTask<String> first = loadThatHasReadTheOldValue();
            store.rows.put("a", "new");
            cache.invalidate("a");
            Stop secondStop = new Stop();
            store.after = operation -> secondStop.pass();
            FutureTask<String> second = start(() -> cache.get("a"));
            secondStop.awaitReached();
            stop.release();
            assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            FutureTask<String> joins = start(() -> cache.get("a"));
            time.awaitSleepers(1);
            secondStop.release();
            assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo("new");
            assertThat(joins.get(10, TimeUnit.SECONDS)).isEqualTo("new");
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
            assertThat(store.log).containsExactly("load a", "load a");
        }
    }

    @Test
    void aValueThatWasPutDuringALoadStays() throws Exception {
        FutureTask<String> load = loadThatHasReadTheOldValue();
        store.rows.put("a", "new");
        cache.put("a", "new");
        assertThat(cache.get("a")).isEqualTo("new");
        stop.release();
        assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("old");
        assertThat(cache.get("a")).isEqualTo("new");
    }

    @Test
    void anotherKeyChangesNothing() throws Exception {
        FutureTask<String> load = loadThatHasReadTheOldValue();
        cache.invalidate("b");
        cache.put("b", "two");
        stop.release();
        assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("old");
        assertThat(cache.getIfPresent("a")).isEqualTo("old");
    }

    @Test
    void nothingIsKeptForKeysThatAreNotInFlight() {
        for (int i = 0; i < 1_000; i++) {
            cache.invalidate("key " + i);
            cache.put("key " + i, "value");
            cache.get("other " + i);
        }
        cache.invalidateAll();
        assertThat(Readings.of(cache, "cache.loading")).isZero();
    }

    /** Rows only grow, one writer each; a reader that begins after a change was announced must not see less. */
    @Test
    void underRealThreadsNoCallerSeesAnInvalidatedValue() throws Exception {
        int keys = 4;
        int changes = 30_000;
        AtomicIntegerArray rows = new AtomicIntegerArray(keys);
        AtomicIntegerArray announced = new AtomicIntegerArray(keys);
        Cache<Integer, Integer> counters = Cache.over("counters", (Integer key) -> rows.get(key), c -> c.maxSize(3));
        CyclicBarrier together = new CyclicBarrier(3);
        AtomicInteger running = new AtomicInteger(1);
        List<FutureTask<Integer>> readers = new ArrayList<>();
        for (int r = 0; r < 2; r++) {
            readers.add(start(() -> {
                together.await();
                int stale = 0;
                for (int i = 0; running.get() > 0; i++) {
                    int key = i % keys;
                    int atLeast = announced.get(key);
                    Integer value = counters.get(key);
                    stale += value != null && value >= atLeast ? 0 : 1;
                }
                return stale;
            }));
        }
        FutureTask<Integer> writer = start(() -> {
            together.await();
            for (int i = 0; i < changes; i++) {
                int key = i % keys;
                int value = rows.incrementAndGet(key);
                if (i % 10 == 9) {
                    counters.invalidateAll();
                } else if (i % 3 == 0) {
                    counters.put(key, value);
                } else {
                    counters.invalidate(key);
                }
                announced.set(key, value);
            }
            return running.decrementAndGet();
        });
        writer.get(60, TimeUnit.SECONDS);
        for (FutureTask<Integer> reader : readers) {
            assertThat(reader.get(10, TimeUnit.SECONDS)).isZero();
        }
    }
}
