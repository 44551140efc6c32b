package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Readings;
import dev.levee.core.testing.ManualTime;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class CacheCloseTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> {}, time.environment());
    private final Stop stop = new Stop();

    private static void assertClosed(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalStateException.class).hasMessage("cache \"letters\" is closed");
    }

    @Test
    void every_get_and_put_after_it_is_told_so() {
        cache.get("a");
        cache.close();
        assertClosed(() -> cache.get("a"));
        assertClosed(() -> cache.get("a", key -> key));
        assertClosed(() -> cache.getIfPresent("a"));
        assertClosed(() -> cache.getAll(List.of("a")));
        assertClosed(() -> cache.getAll(List.of("a"), keys -> java.util.Map.of()));
        assertClosed(() -> cache.getAsync("a"));
        assertClosed(() -> cache.getAllAsync(List.of("a")));
        assertClosed(() -> cache.put("a", "x"));
        assertClosed(() -> cache.remove("a"));
        assertClosed(() -> cache.warmUp(List.of("a"), 1));
        assertClosed(() -> cache.refresh("a"));
    }

    @Test
    void twice_is_once_and_invalidations_are_still_taken() {
        cache.close();
        assertThatCode(() -> {
                    cache.close();
                    cache.invalidate("a");
                    cache.invalidateAll();
                    cache.measure((name, metric, value) -> {});
                    assertThat(cache.hottest(3)).isEmpty();
                })
                .doesNotThrowAnyException();
        assertClosed(() -> cache.get("a"));
    }

    @Test
    void loads_in_flight_end_for_those_that_wait_and_keep_nothing() throws Exception {
        store.before = operation -> stop.pass();
        FutureTask<String> load = new FutureTask<>(() -> cache.get("a"));
        time.start(load);
        stop.awaitReached();
        FutureTask<String> waits = new FutureTask<>(() -> cache.get("a"));
        time.start(waits);
        CompletableFuture<String> stage = cache.getAsync("a");
        time.awaitSleepers(1);
        cache.close();
        assertClosed(() -> cache.get("a")); // joins nothing
        stop.release();
        assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("1");
        assertThat(waits.get(10, TimeUnit.SECONDS)).isEqualTo("1");
        time.runReady();
        assertThat(stage).isCompletedWithValue("1");
        assertThat(Readings.of(cache)).containsEntry("cache.size", 0.0).containsEntry("cache.loading", 0.0);
    }

    @Test
    void nothing_comes_into_a_closed_cache_however_puts_and_closes_race() throws Exception {
        for (int round = 0; round < 300; round++) {
            Cache<Integer, Integer> racing = Cache.of("racing");
            AtomicBoolean told = new AtomicBoolean();
            Thread puts = new Thread(() -> {
                for (int i = 0; i < 10_000 && !told.get(); i++) {
                    try {
                        racing.put(i % 10, i);
                    } catch (IllegalStateException closed) {
                        told.set(true);
                    }
                }
            });
            puts.start();
            racing.close();
            puts.join();
            assertThat(Readings.of(racing, "cache.size")).isZero();
        }
    }

    @Test
    void a_cache_can_be_a_resource() {
        try (Cache<String, String> resource = Cache.over("resource", store)) {
            assertThat(resource.get("b")).isEqualTo("2");
        }
    }
}
