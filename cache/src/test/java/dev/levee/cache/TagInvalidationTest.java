package dev.levee.cache;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Readings;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Values are {@code tenant:value}; the tenant is the tag. */
class TagInvalidationTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "t1:1", "b", "t2:2", "c", "t1:3");
    private final Cache<String, String> cache = tagged((key, value) -> List.of(tenant(value)));
    private final Stop stop = new Stop();

    private Cache<String, String> tagged(BiFunction<String, String, Collection<String>> tags) {
        return Cache.over("letters", store, c -> c.tags(tags), time.environment());
    }

    private static String tenant(String value) {
        return value.substring(0, Math.max(0, value.indexOf(':')));
    }

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    @Test
    void all_values_of_a_tag_are_gone_at_once_and_no_others() {
        cache.getAll(List.of("a", "b", "c"));
        cache.put("d", "t1:4");
        cache.invalidateTag("t1");
        assertThat(cache.getIfPresent("a")).isNull();
        assertThat(cache.getIfPresent("c")).isNull();
        assertThat(cache.getIfPresent("d")).isNull();
        assertThat(cache.getIfPresent("b")).isEqualTo("t2:2");
        assertThat(cache.getEntry("a")).isNull();
        store.rows.put("a", "t1:new");
        assertThat(cache.get("a")).isEqualTo("t1:new");
        assertThat(cache.getIfPresent("a")).isEqualTo("t1:new");
    }

    @Nested
    class AValueReadBeforeItsTagWasInvalidated {
        private FutureTask<String> loadThatHasReadTheOldValue() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> load = start(() -> cache.get("a"));
            stop.awaitReached();
            return load;
        }

        @Test
        void is_not_cached_when_it_arrives_though_its_tags_were_not_known() throws Exception {
            FutureTask<String> load = loadThatHasReadTheOldValue();
            store.rows.put("a", "t1:new");
            cache.invalidateTag("t1");
            stop.release();
            assertThat(result(load)).isEqualTo("t1:1");
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("t1:new");
        }

        @Test
        void is_returned_to_callers_that_waited_and_not_to_later_ones() throws Exception {
            FutureTask<String> load = loadThatHasReadTheOldValue();
            FutureTask<String> waited = start(() -> cache.get("a"));
            time.awaitSleepers(1);
            store.rows.put("a", "t1:new");
            cache.invalidateTag("t1");
            FutureTask<String> later = start(() -> cache.get("a"));
            FutureTask<Map<String, String>> laterBulk = start(() -> cache.getAll(List.of("a")));
            time.awaitSleepers(3);
            stop.release();
            assertThat(result(load)).isEqualTo("t1:1");
            assertThat(result(waited)).isEqualTo("t1:1");
            assertThat(result(later)).isEqualTo("t1:new");
            assertThat(result(laterBulk)).isEqualTo(Map.of("a", "t1:new"));
        }

        @Test
        void of_another_tag_is_cached() throws Exception {
            FutureTask<String> load = loadThatHasReadTheOldValue();
            cache.invalidateTag("t2");
            stop.release();
            assertThat(result(load)).isEqualTo("t1:1");
            assertThat(cache.getIfPresent("a")).isEqualTo("t1:1");
        }

        @Test
        void is_not_cached_by_a_bulk_load() throws Exception {
            store.after = operation -> {
                if (operation.equals("load c")) {
                    stop.pass();
                }
            };
            FutureTask<Map<String, String>> load = start(() -> cache.getAll(List.of("b", "c")));
            stop.awaitReached();
            cache.invalidateTag("t1");
            stop.release();
            result(load);
            assertThat(cache.getIfPresent("b")).isEqualTo("t2:2");
            assertThat(cache.getIfPresent("c")).isNull();
        }
    }

    /** Runs a race on the thread that ends a load, after its last look at the tags: when it comes to its key. */
    @Nested
    class AnInvalidationBeforeTheLoadIsOver {
        private final Cache<HookedKey, String> cache = Cache.over(
                "hooked",
                key -> "t1:old",
                c -> c.tags((key, value) -> List.of(tenant(value)))
                        .expireAfter(this::life)
                        .staleIfError(ofMinutes(1)),
                time.environment());

        private FutureTask<String> later = new FutureTask<>(() -> "was not begun");
        private Runnable whenStamped = () -> {};

        private Duration life(HookedKey key, String value) {
            whenStamped.run();
            return ofSeconds(1);
        }

        private void race(HookedKey key) {
            key.hook = () -> {
                key.hook = null;
                cache.invalidateTag("t1");
                later = start(() -> cache.get(new HookedKey(), any -> "t1:new"));
                time.awaitSleepers(1);
            };
        }

        @Test
        void is_seen_by_those_that_join_it_afterwards() throws Exception {
            HookedKey key = new HookedKey();
            whenStamped = () -> {
                whenStamped = () -> {};
                race(key);
            };
            assertThat(cache.get(key)).isEqualTo("t1:old");
            assertThat(result(later)).isEqualTo("t1:new");
        }

        @Test
        void is_seen_also_where_an_old_value_stands_in_for_a_failure() throws Exception {
            HookedKey key = new HookedKey();
            cache.get(new HookedKey());
            time.advance(ofSeconds(2));
            Loader<HookedKey, String> fails = any -> {
                race(key);
                throw new IOException("down");
            };
            assertThat(cache.get(key, fails)).isEqualTo("t1:old");
            assertThat(result(later)).isEqualTo("t1:new");
        }
    }

    /** All are equal. */
    private static final class HookedKey {
        @Nullable Runnable hook;

        @Override
        public boolean equals(Object other) {
            return other instanceof HookedKey;
        }

        @Override
        public int hashCode() {
            if (hook != null) {
                hook.run();
            }
            return 1;
        }
    }

    @Test
    void a_value_whose_tag_was_invalidated_is_not_served_stale_either() throws IOException {
        Cache<String, String> stale = Cache.over(
                "stale",
                store,
                c -> c.tags((key, value) -> List.of(tenant(value)))
                        .expireAfter(ofSeconds(1))
                        .staleWhileRevalidate(ofMinutes(1))
                        .staleIfError(ofMinutes(1)),
                time.environment());
        stale.get("a");
        time.advance(ofSeconds(2));
        stale.invalidateTag("t1");
        store.before = operation -> {
            throw new IOException("down");
        };
        assertThat(stale.getIfPresent("a")).isNull();
        assertThat(catchThrowable(() -> stale.get("a"))).isInstanceOf(StoreException.class);
    }

    @Test
    void a_value_that_is_served_because_its_load_failed_keeps_its_tags() {
        Cache<String, String> stale = Cache.over(
                "stale",
                store,
                c -> c.tags((key, value) -> List.of(tenant(value)))
                        .expireAfter(ofSeconds(1))
                        .staleIfError(ofMinutes(1)),
                time.environment());
        stale.get("a");
        time.advance(ofSeconds(2));
        store.before = operation -> {
            throw new IOException("down");
        };
        assertThat(stale.get("a")).isEqualTo("t1:1");
        stale.invalidateTag("t1");
        assertThat(stale.getIfPresent("a")).isNull();
        assertThat(catchThrowable(() -> stale.get("a"))).isInstanceOf(StoreException.class);
    }

    @Test
    void an_absence_that_was_read_before_may_be_of_any_tag() {
        Cache<String, String> negative = Cache.over(
                "negative",
                store,
                c -> c.tags((key, value) -> List.of(tenant(value))).expireAbsentAfter(ofMinutes(1)),
                time.environment());
        assertThat(negative.get("x")).isNull();
        store.rows.put("x", "t1:x");
        assertThat(negative.get("x")).isNull();
        negative.invalidateTag("t1");
        assertThat(negative.get("x")).isEqualTo("t1:x");
    }

    @Test
    void a_write_through_that_overlaps_an_invalidation_of_its_tag_leaves_nothing() throws Exception {
        Cache<String, String> through = Cache.over(
                "through",
                store,
                c -> c.writeThrough().tags((key, value) -> List.of(tenant(value))),
                time.environment());
        store.after = operation -> stop.pass();
        FutureTask<Object> write = start(() -> {
            through.put("a", "t1:written");
            return null;
        });
        stop.awaitReached();
        through.invalidateTag("t1");
        stop.release();
        result(write);
        assertThat(through.getIfPresent("a")).isNull();
        through.put("a", "t1:again");
        assertThat(through.getIfPresent("a")).isEqualTo("t1:again");
    }

    @Nested
    class BadInput {
        @Test
        void tags_that_are_null_or_have_null_fail_the_load_with_the_key() {
            for (Collection<String> wrong : Arrays.asList(null, Arrays.asList("x", null))) {
                Cache<String, String> broken = tagged((key, value) -> wrong);
                assertThatThrownBy(() -> broken.get("a"))
                        .isInstanceOf(StoreException.class)
                        .hasMessageContaining("cache \"letters\": tags of key a must");
                assertThat(broken.getIfPresent("a")).isNull();
            }
        }

        @Test
        void a_function_that_throws_fails_the_load_and_the_put_and_changes_nothing() {
            Cache<String, String> broken = tagged((key, value) -> {
                throw new IllegalStateException("tags");
            });
            assertThatThrownBy(() -> broken.get("a"))
                    .isInstanceOf(StoreException.class)
                    .hasRootCauseMessage("tags");
            assertThatThrownBy(() -> broken.put("a", "x")).hasMessageContaining("tags");
            broken.invalidateTag("t1");
            assertThat(broken.getIfPresent("a")).isNull();
        }

        @Test
        void a_cache_without_tags_says_so() {
            assertThatThrownBy(() -> Cache.of("bare").invalidateTag("t1"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("cache \"bare\" has no tags");
            assertThatThrownBy(() -> cache.invalidateTag(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("tag");
        }

        @Test
        void the_same_tag_twice_and_no_tags_are_fine() {
            Cache<String, String> twice = tagged((key, value) -> List.of("x", "x"));
            twice.get("a");
            twice.invalidateTag("x");
            assertThat(twice.getIfPresent("a")).isNull();
            Cache<String, String> none = tagged((key, value) -> List.of());
            none.get("a");
            none.invalidateTag("x");
            assertThat(none.getIfPresent("a")).isEqualTo("t1:1");
        }
    }

    @Test
    void the_number_of_tags_is_measured() {
        cache.getAll(List.of("a", "b", "c"));
        assertThat(Readings.of(cache, "cache.tags")).isEqualTo(2.0);
    }
}
