package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WarmUpTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final ConcurrentLinkedQueue<CompletableFuture<String>> open = new ConcurrentLinkedQueue<>();
    private final AsyncLoader<Integer, String> store = (key, executor) -> {
        CompletableFuture<String> stage = new CompletableFuture<>();
        open.add(stage);
        return stage;
    };
    private final Cache<Integer, String> cache = Cache.over("numbers", store, c -> {}, environment);

    private static List<Integer> keys(int count) {
        return IntStream.range(0, count).boxed().toList();
    }

    private void completeOne(String value) {
        CompletableFuture<String> stage = open.remove();
        stage.complete(value);
        time.runReady();
    }

    @Nested
    class WarmUp {
        @Test
        void keeps_so_many_loads_under_way_and_no_more() {
            CompletableFuture<WarmUpReport> done = cache.warmUp(keys(10), 3);
            for (int i = 0; i < 10; i++) {
                time.runReady();
                assertThat(open).hasSize(Math.min(3, 10 - i));
                assertThat(done).isNotDone();
                completeOne("x");
            }
            assertThat(done).isCompletedWithValue(new WarmUpReport(0, 10, 0, 0, 0, null));
            assertThat(cache.getIfPresent(9)).isEqualTo("x");
        }

        @Test
        void says_what_came_of_the_keys() throws Exception {
            cache.put(0, "there");
            CompletableFuture<WarmUpReport> done = cache.warmUp(List.of(0, 1, 2, 3), 1);
            time.runReady();
            completeOne("x");
            completeOne(null);
            IOException disk = new IOException("disk");
            open.remove().completeExceptionally(disk);
            time.runReady();
            WarmUpReport report = done.get(1, TimeUnit.SECONDS);
            assertThat(report.present()).isEqualTo(1);
            assertThat(report.loaded()).isEqualTo(1);
            assertThat(report.absent()).isEqualTo(1);
            assertThat(report.failed()).isEqualTo(1);
            assertThat(report.skipped()).isZero();
            assertThat(report.failure()).hasRootCause(disk);
        }

        @Test
        void stops_when_the_cache_is_closed() throws Exception {
            CompletableFuture<WarmUpReport> done = cache.warmUp(keys(10), 2);
            time.runReady();
            completeOne("x");
            cache.close();
            completeOne("x");
            completeOne("x");
            assertThat(done.get(1, TimeUnit.SECONDS)).isEqualTo(new WarmUpReport(0, 3, 0, 0, 7, null));
            assertThat(open).isEmpty();
        }

        @Test
        void stops_when_its_stage_is_cancelled() {
            CompletableFuture<WarmUpReport> done = cache.warmUp(keys(10), 2);
            time.runReady();
            done.cancel(true);
            completeOne("x");
            completeOne("x");
            assertThat(open).isEmpty();
        }

        @Test
        void asks_a_bulk_loader_for_a_hundred_keys_at_a_time() throws Exception {
            List<Integer> sizes = new ArrayList<>();
            BulkLoader<Integer, String> many = keys -> {
                sizes.add(keys.size());
                return Map.of(keys.iterator().next(), "x");
            };
            Cache<Integer, String> bulk = Cache.over("bulk", many, c -> {}, environment);
            CompletableFuture<WarmUpReport> done = bulk.warmUp(keys(250), 1);
            for (int i = 0; i < 10; i++) {
                time.runReady();
            }
            assertThat(done.get(1, TimeUnit.SECONDS)).isEqualTo(new WarmUpReport(0, 3, 247, 0, 0, null));
            assertThat(sizes).containsExactly(100, 100, 50);
        }

        @Test
        void of_many_keys_that_are_there_does_not_need_a_deep_stack() {
            keys(9_000).forEach(key -> cache.put(key, "x"));
            assertThat(cache.warmUp(keys(9_000), 2))
                    .isCompletedWithValue(new WarmUpReport(9_000, 0, 0, 0, 0, null));
        }

        @Test
        void of_no_keys_is_done() {
            assertThat(cache.warmUp(List.of(), 1)).isCompletedWithValue(new WarmUpReport(0, 0, 0, 0, 0, null));
        }

        @Test
        void names_bad_input() {
            assertThatThrownBy(() -> cache.warmUp(Arrays.asList(1, null), 1)).hasMessageContaining("keys[1]");
            assertThatThrownBy(() -> cache.warmUp(List.of(1), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("maxConcurrent must be at least 1, but was 0");
            assertThatThrownBy(() -> Cache.<Integer, String>of("bare").warmUp(List.of(1), 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has no store");
        }
    }

    @Nested
    class Hottest {
        @Test
        void are_the_keys_that_are_read_most() {
            Cache<Integer, String> small = Cache.over("small", key -> "x", c -> c.maxSize(120), environment); // below half of that Caffeine keeps no order
            for (int round = 0; round < 20; round++) {
                for (int key = 0; key < 5; key++) {
                    small.get(key);
                }
            }
            keys(100).forEach(small::get);
            for (int round = 0; round < 20; round++) {
                for (int key = 0; key < 5; key++) {
                    small.get(key);
                }
            }
            assertThat(small.hottest(5)).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
            assertThat(small.hottest(0)).isEmpty();
            assertThat(small.hottest(1_000)).hasSize(100);
        }

        @Test
        void are_none_that_are_not_served_any_more() {
            Cache<Integer, String> tagged = Cache.over(
                    "tagged",
                    key -> "x",
                    c -> c.expireAfter(Duration.ofSeconds(1)).tags((key, value) -> List.of("t" + key)),
                    environment);
            tagged.getAll(List.of(1, 2));
            tagged.invalidateTag("t1");
            assertThat(tagged.hottest(10)).containsExactly(2);
            time.advance(Duration.ofSeconds(1));
            assertThat(tagged.hottest(10)).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(ints = {-1, Integer.MIN_VALUE})
        void have_a_limit(int limit) {
            assertThatThrownBy(() -> cache.hottest(limit))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("limit must be at least 0, but was " + limit);
        }
    }
}
