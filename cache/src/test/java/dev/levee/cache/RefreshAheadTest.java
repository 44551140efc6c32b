package dev.levee.cache;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Loads in the background, of values that have got old and are still fresh. */
class RefreshAheadTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");
    private final Cache<String, String> cache = cache(c -> {});

    private Cache<String, String> cache(Consumer<CacheConfig.Builder<String, String>> more) {
        return cache(more, time.environment());
    }

    private Cache<String, String> cache(Consumer<CacheConfig.Builder<String, String>> more, Environment environment) {
        return Cache.over(
                "letters",
                store,
                c -> more.accept(c.expireAfter(ofMinutes(5))
                        .expiryJitter(0)
                        .refreshAfter(ofMinutes(4))
                        .totals(true)),
                environment);
    }

    static Map<String, Double> metrics(Cache<?, ?> cache) {
        Map<String, Double> metrics = new HashMap<>();
        cache.measure((name, metric, value) -> metrics.put(metric, value));
        return metrics;
    }

    @Test
    void a_value_that_is_old_is_served_and_loaded_again_behind_the_caller() {
        cache.get("a");
        store.rows.put("a", "new");
        time.advance(ofMinutes(4).minusNanos(1));
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(time.pendingTasks()).isZero();
        time.advance(ofNanos(1));
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(store.log).containsExactly("load a");
        time.runReady();
        assertThat(cache.get("a")).isEqualTo("new");
        assertThat(store.log).containsExactly("load a", "load a");
        time.advance(ofMinutes(4).minusNanos(1)); // its life has begun anew
        assertThat(cache.get("a")).isEqualTo("new");
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void a_value_that_is_not_read_is_not_loaded_again() {
        cache.get("a");
        time.advance(ofMinutes(10));
        assertThat(store.log).containsExactly("load a");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_value_is_loaded_again_once_however_often_it_is_read() {
        cache.get("a");
        time.advance(ofMinutes(4));
        for (int i = 0; i < 100; i++) {
            cache.get("a");
        }
        assertThat(time.pendingTasks()).isEqualTo(1);
        time.runReady();
        assertThat(store.log).containsExactly("load a", "load a");
        assertThat(metrics(cache))
                .containsEntry("cache.refreshes", 1.0)
                .containsEntry("cache.hits", 100.0)
                .containsEntry("cache.stale", 0.0)
                .containsEntry("cache.refreshing", 0.0);
    }

    @Test
    void a_look_without_a_load_does_not_load_again() {
        cache.get("a");
        time.advance(ofMinutes(4));
        assertThat(cache.getIfPresent("a")).isEqualTo("1");
        assertThat(cache.getEntry("a")).isNotNull();
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void what_expires_during_its_refresh_is_awaited_from_that() throws Exception {
        Stop stop = new Stop();
        Cache<String, String> threaded = cache(
                c -> {}, time.environment().toBuilder().executor(time::start).build());
        threaded.get("a");
        time.advance(ofMinutes(4));
        store.before = operation -> stop.pass();
        threaded.get("a");
        stop.awaitReached();
        time.advance(ofMinutes(1));
        FutureTask<String> caller = new FutureTask<>(() -> threaded.get("a"));
        time.start(caller);
        time.awaitSleepers(1);
        store.rows.put("a", "new");
        stop.release();
        assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("new");
        assertThat(store.log).containsExactly("load a", "load a");
    }

    @Test
    void what_is_invalidated_before_its_refresh_begins_is_not_loaded() {
        cache.get("a");
        time.advance(ofMinutes(4));
        cache.get("a");
        cache.invalidate("a");
        time.runReady();
        assertThat(store.log).containsExactly("load a");
        assertThat(metrics(cache)).containsEntry("cache.size", 0.0).containsEntry("cache.loading", 0.0);
    }

    @Test
    void what_is_invalidated_put_or_cleared_during_its_refresh_is_not_replaced() {
        for (String how : List.of("invalidate", "clear", "put")) {
            cache.put("a", "0");
            time.advance(ofMinutes(4));
            cache.get("a");
            store.after = operation -> {
                switch (how) {
                    case "invalidate" -> cache.invalidate("a");
                    case "clear" -> cache.invalidateAll();
                    default -> cache.put("a", "put");
                }
            };
            time.runReady();
            store.after = operation -> {};
            assertThat(cache.getIfPresent("a")).as(how).isEqualTo(how.equals("put") ? "put" : null);
        }
        assertThat(store.log).hasSize(3);
    }

    @Test
    void what_has_a_tag_that_is_invalidated_during_its_refresh_is_not_replaced() {
        Cache<String, String> tagged = Cache.over(
                "tagged",
                store,
                c -> c.expireAfter(ofMinutes(5))
                        .expiryJitter(0)
                        .refreshAfter(ofMinutes(4))
                        .tags((key, value) -> List.of("t")),
                time.environment());
        tagged.put("a", "0");
        time.advance(ofMinutes(4));
        assertThat(tagged.get("a")).isEqualTo("0");
        store.after = operation -> tagged.invalidateTag("t");
        time.runReady();
        assertThat(store.log).containsExactly("load a");
        assertThat(tagged.getIfPresent("a")).isNull();
    }

    @Test
    void a_mass_write_of_one_age_begins_a_few_refreshes_and_queues_none() {
        Cache<Integer, Integer> many = Cache.over(
                "many",
                key -> key,
                c -> c.maxSize(200_000)
                        .expiryJitter(0)
                        .refreshAfter(ofMinutes(4))
                        .totals(true),
                time.environment());
        for (int i = 0; i < 100_000; i++) {
            many.put(i, -i);
        }
        time.advance(ofMinutes(4));
        for (int i = 0; i < 100_000; i++) {
            assertThat(many.get(i)).isEqualTo(-i);
        }
        assertThat(time.pendingTasks()).isEqualTo(16);
        assertThat(metrics(many)).containsEntry("cache.refreshes.refused", 100_000.0 - 16);
    }

    @Test
    void a_row_that_is_gone_is_not_served_any_more() {
        Cache<String, String> lenient = cache(c -> c.staleIfError(ofMinutes(60)));
        lenient.get("a");
        time.advance(ofMinutes(4));
        store.rows.remove("a");
        lenient.get("a");
        time.runReady();
        assertThat(lenient.getIfPresent("a")).isNull();
        assertThat(lenient.get("a")).isNull();
    }

    @Test
    void a_refresh_that_fails_leaves_the_value_and_is_tried_again_after_longer_and_longer_pauses() {
        Cache<String, String> failing = cache(c -> c.expireAfter(ofMinutes(60)));
        failing.get("a");
        store.before = operation -> {
            throw new IOException("down");
        };
        time.advance(ofMinutes(4));
        List<Integer> tries = new ArrayList<>();
        int before = store.log.size();
        for (int second = 0; second < 80; second++) {
            assertThat(failing.get("a")).isEqualTo("1");
            time.runReady();
            if (store.log.size() > before) {
                tries.add(second);
                before = store.log.size();
            }
            time.advance(ofSeconds(1));
        }
        assertThat(tries).containsExactly(0, 1, 3, 7, 15, 31, 47, 63, 79);
        assertThat(metrics(failing)).containsEntry("cache.refresh.failures", 9.0);
        store.before = operation -> {};
        store.rows.put("a", "new");
        time.advance(ofSeconds(16));
        failing.get("a");
        time.runReady();
        assertThat(failing.get("a")).isEqualTo("new");
    }

    @Test
    void a_row_of_failures_is_one_line_of_the_log() {
        try (CapturedLog log = new CapturedLog(Cache.class)) {
            for (int outage = 1; outage <= 2; outage++) {
                store.before = operation -> {};
                for (String key : List.of("a", "b")) {
                    cache.invalidate(key);
                    cache.get(key);
                }
                time.advance(ofMinutes(4));
                store.before = operation -> {
                    throw new IOException("down");
                };
                for (int second = 0; second < 20; second++) {
                    cache.get("a");
                    cache.get("b");
                    time.advance(ofSeconds(1));
                }
                assertThat(log.lines())
                        .hasSize(outage)
                        .allSatisfy(line -> assertThat(line).startsWith("WARN cache \"letters\": a load failed"));
            }
        }
    }

    @Test
    void no_more_run_than_may_and_the_others_are_served_and_not_queued() {
        Cache<Integer, Integer> many = Cache.over(
                "many",
                key -> key,
                c -> c.expireAfter(ofMinutes(5))
                        .expiryJitter(0)
                        .refreshAfter(ofMinutes(4))
                        .maxRefreshes(3)
                        .totals(true),
                time.environment());
        for (int i = 0; i < 1_000; i++) {
            many.put(i, -i);
        }
        time.advance(ofMinutes(4));
        for (int i = 0; i < 1_000; i++) {
            assertThat(many.get(i)).isEqualTo(-i);
        }
        assertThat(time.pendingTasks()).isEqualTo(3);
        assertThat(metrics(many))
                .containsEntry("cache.refreshing", 3.0)
                .containsEntry("cache.refreshes.refused", 997.0);
        time.runReady();
        assertThat(metrics(many)).containsEntry("cache.refreshing", 0.0);
        for (int i = 0; i < 6; i++) {
            many.get(i);
        }
        time.runReady();
        assertThat(List.of(many.get(0), many.get(5), many.get(6))).containsExactly(0, 5, -6);
    }

    @Test
    void an_executor_that_rejects_leaves_nothing_behind_and_is_not_asked_at_each_hit() {
        int[] asked = new int[1];
        boolean[] full = {true};
        Executor moody = task -> {
            asked[0]++;
            if (full[0]) {
                throw new RejectedExecutionException("full");
            }
            time.environment().executor().execute(task);
        };
        Cache<String, String> rejected =
                cache(c -> {}, time.environment().toBuilder().executor(moody).build());
        rejected.get("a");
        store.rows.put("a", "new");
        time.advance(ofMinutes(4));
        for (int i = 0; i < 100; i++) {
            assertThat(rejected.get("a")).isEqualTo("1");
        }
        assertThat(asked[0]).isEqualTo(1);
        assertThat(metrics(rejected)).containsEntry("cache.refreshing", 0.0).containsEntry("cache.loading", 0.0);
        full[0] = false;
        time.advance(ofSeconds(1));
        rejected.get("a");
        time.runReady();
        assertThat(rejected.get("a")).isEqualTo("new");
    }

    @Test
    void an_executor_that_loses_tasks_keeps_no_caller_waiting() {
        Cache<String, String> lossy = cache(
                c -> {}, time.environment().toBuilder().executor(task -> {}).build());
        lossy.get("a");
        time.advance(ofMinutes(4));
        assertThat(lossy.get("a")).isEqualTo("1");
        store.rows.put("a", "new");
        time.advance(ofMinutes(1));
        assertThat(lossy.get("a")).isEqualTo("new");
    }

    @Test
    void a_refresh_that_the_executor_drops_gives_its_room_back() {
        boolean[] drops = {true};
        Executor moody = task -> {
            if (!drops[0]) {
                time.environment().executor().execute(task);
            }
        };
        Cache<String, String> lossy = cache(
                c -> c.maxRefreshes(1),
                time.environment().toBuilder().executor(moody).build());
        lossy.get("a");
        time.advance(ofMinutes(4));
        assertThat(lossy.get("a")).isEqualTo("1");
        assertThat(metrics(lossy)).containsEntry("cache.refreshing", 1.0);
        time.advance(ofSeconds(30));
        drops[0] = false;
        time.advance(ofSeconds(2));
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1); // it runs on a thread of the machine
        while (metrics(lossy).get("cache.refreshing") != 0.0 && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        assertThat(metrics(lossy)).containsEntry("cache.refreshing", 0.0);
    }

    @Test
    void a_refresh_has_no_part_in_the_call_that_began_it_even_on_its_thread() {
        List<CallContext> seen = new ArrayList<>();
        Cache<String, String> inline = cache(
                c -> {}, time.environment().toBuilder().executor(Runnable::run).build());
        inline.get("a");
        time.advance(ofMinutes(4));
        store.before = operation -> seen.add(CallContext.current());
        Deadline deadline = Deadline.after(ofSeconds(1), time.environment().clock());
        CallContext.current()
                .withDeadline(deadline)
                .withAttempt(2)
                .withIdempotent(false)
                .run(() -> {
                    assertThat(inline.get("a")).isEqualTo("1");
                    assertThat(CallContext.current().deadline()).isEqualTo(deadline);
                    assertThat(CallContext.current().attempt()).isEqualTo(2);
                    assertThat(CallContext.current().idempotent()).isFalse();
                });
        assertThat(seen).singleElement().satisfies(context -> {
            assertThat(context.deadline()).isNull();
            assertThat(context.attempt()).isEqualTo(1);
            assertThat(context.idempotent()).isTrue();
        });
    }

    @Test
    void a_loader_that_reads_its_own_key_during_a_refresh_gets_the_old_value() {
        Cache<String, Integer> counting = Cache.of(
                "counting",
                c -> c.expireAfter(ofMinutes(5)).refreshAfter(ofMinutes(4)).expiryJitter(0),
                time.environment());
        counting.put("a", 1);
        time.advance(ofMinutes(4));
        Loader<String, Integer> next = new Loader<>() {
            @Override
            public Integer load(String key) {
                return counting.get(key, this) + 1;
            }
        };
        assertThat(counting.get("a", next)).isEqualTo(1);
        time.runReady();
        assertThat(counting.getIfPresent("a")).isEqualTo(2);
    }

    @Test
    void a_value_without_an_end_can_be_refreshed_too() {
        Cache<String, String> endless = cache(c -> c.expireAfter(Deadline.FOREVER));
        endless.get("a");
        store.rows.put("a", "new");
        time.advance(ofMinutes(4));
        endless.get("a");
        time.runReady();
        assertThat(endless.get("a")).isEqualTo("new");
    }

    @Test
    void a_key_can_be_refreshed_on_demand_whatever_there_is() {
        assertThat(cache.refresh("a")).isTrue();
        time.runReady();
        assertThat(cache.getIfPresent("a")).isEqualTo("1");
        store.rows.put("a", "new");
        assertThat(cache.refresh("a")).isTrue();
        assertThat(cache.get("a")).isEqualTo("1");
        time.runReady();
        assertThat(cache.get("a")).isEqualTo("new");
        assertThat(cache.getEntry("a").origin()).isEqualTo(CachedValue.Origin.REFRESHED);
        assertThatIllegalStateException()
                .isThrownBy(() -> Cache.of("bare").refresh("a"))
                .withMessage("cache \"bare\" has no store to load from");
    }

    @Test
    void a_refresh_on_demand_that_finds_no_room_says_so() {
        Cache<String, String> narrow = cache(c -> c.maxRefreshes(1));
        assertThat(narrow.refresh("a")).isTrue();
        assertThat(narrow.refresh("b")).isFalse();
        time.runReady();
        assertThat(narrow.refresh("b")).isTrue();
    }

    @Test
    void values_that_were_put_together_are_not_refreshed_together() {
        Cache<Integer, Integer> many = Cache.over(
                "many",
                key -> key,
                c -> c.expireAfter(ofMinutes(60))
                        .refreshAfter(ofMinutes(4))
                        .expiryJitter(0.5)
                        .maxRefreshes(1_000),
                time.environment());
        for (int i = 0; i < 1_000; i++) {
            many.put(i, i);
        }
        List<Integer> refreshed = new ArrayList<>();
        for (int minute = 1; minute <= 4; minute++) {
            time.advance(ofMinutes(1).minusNanos(minute == 4 ? 0 : 1));
            for (int i = 0; i < 1_000; i++) {
                many.get(i);
            }
            refreshed.add(time.pendingTasks());
            time.runReady();
        }
        assertThat(refreshed.get(0)).isZero();
        assertThat(refreshed.get(1)).isZero();
        assertThat(refreshed.get(2)).isBetween(400, 600); // half of 1,000, give or take six sigma
    }
}
