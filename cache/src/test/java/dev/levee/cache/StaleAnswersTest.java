package dev.levee.cache;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.CachedValue.Freshness;
import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Deadline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Values that are served after their time: while they are loaded again, or because that fails. */
class StaleAnswersTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");

    private Cache<String, String> cache(Consumer<CacheConfig.Builder<String, String>> more) {
        return Cache.over(
                "letters",
                store,
                c -> more.accept(c.expireAfter(ofMinutes(5)).expiryJitter(0).totals(true)),
                time.environment());
    }

    private void breakStore() {
        store.before = operation -> {
            throw new IOException("down");
        };
    }

    private void mendStore() {
        store.before = operation -> {};
    }

    @Nested
    class WhileRevalidating {
        private final Cache<String, String> cache = cache(c -> c.staleWhileRevalidate(ofMinutes(1)));

        @Test
        void the_old_value_is_served_until_the_window_ends_to_the_nanosecond() {
            cache.get("a");
            store.rows.put("a", "new");
            time.advance(ofMinutes(5).minusNanos(1));
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(time.pendingTasks()).isZero();
            time.advance(ofNanos(1));
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.getEntry("a").freshness()).isEqualTo(Freshness.STALE);
            assertThat(time.pendingTasks()).isEqualTo(1);
            time.runReady();
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(RefreshAheadTest.metrics(cache)).containsEntry("cache.stale", 1.0);
        }

        @Test
        void after_the_window_callers_wait_for_the_load() {
            cache.get("a");
            store.rows.put("a", "new");
            time.advance(ofMinutes(6).minusNanos(1));
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            time.advance(ofNanos(1));
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.getEntry("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("new");
        }

        @Test
        void a_store_that_fails_ends_nothing_before_the_window() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            for (int second = 0; second < 60; second++) {
                assertThat(cache.get("a")).isEqualTo("1");
                time.advance(ofSeconds(1));
            }
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            assertThat(store.log).hasSize(1 + 7 + 1); // at 0, 1, 3, 7, 15, 31 and 47 seconds, and now
        }

        @Test
        void a_row_that_is_gone_is_not_served_any_more() {
            cache.get("a");
            store.rows.remove("a");
            time.advance(ofMinutes(5));
            assertThat(cache.get("a")).isEqualTo("1");
            time.runReady();
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void many_values_that_a_pause_made_old_are_served_while_a_few_are_loaded() {
            Cache<Integer, Integer> many = Cache.over(
                    "many",
                    key -> key,
                    c -> c.staleWhileRevalidate(ofMinutes(60)).totals(true),
                    time.environment());
            for (int i = 0; i < 1_000; i++) {
                many.put(i, -i);
            }
            time.advance(ofMinutes(30)); // the process stood still
            for (int i = 0; i < 1_000; i++) {
                assertThat(many.get(i)).isEqualTo(-i);
            }
            assertThat(time.pendingTasks()).isEqualTo(16);
            assertThat(RefreshAheadTest.metrics(many)).containsEntry("cache.stale", 1_000.0);
        }
    }

    @Nested
    class IfTheStoreFails {
        private final Cache<String, String> cache = cache(c -> c.staleIfError(ofMinutes(10)));

        @Test
        void the_old_value_is_served_until_the_window_ends_to_the_nanosecond() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(15).minusNanos(1));
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.getEntry("a").freshness()).isEqualTo(Freshness.STALE_AFTER_ERROR);
            time.advance(ofNanos(1));
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
        }

        @Test
        void the_store_is_asked_first_and_a_new_value_is_served() {
            cache.get("a");
            store.rows.put("a", "new");
            time.advance(ofMinutes(5));
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("new");
        }

        @Test
        void the_store_is_left_alone_for_longer_and_longer_pauses() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            List<Integer> tries = new ArrayList<>();
            for (int second = 0; second < 80; second++) {
                int before = store.log.size();
                assertThat(cache.get("a")).isEqualTo("1");
                if (store.log.size() > before) {
                    tries.add(second);
                }
                time.advance(ofSeconds(1));
            }
            assertThat(tries).containsExactly(0, 1, 3, 7, 15, 31, 47, 63, 79);
            mendStore();
            store.rows.put("a", "new");
            time.advance(ofSeconds(16));
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(cache.getEntry("a").freshness()).isEqualTo(Freshness.FRESH);
        }

        @Test
        void in_a_pause_an_answer_costs_a_hit() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            cache.get("a");
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            cache.get("a");
            assertThat(store.log).hasSize(2);
        }

        @Test
        void waiting_callers_get_the_old_value_too() throws Exception {
            cache.get("a");
            time.advance(ofMinutes(5));
            Stop stop = new Stop();
            store.before = operation -> {
                stop.pass();
                throw new IOException("down");
            };
            List<FutureTask<String>> callers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                FutureTask<String> caller = new FutureTask<>(() -> cache.get("a"));
                time.start(caller);
                callers.add(caller);
                if (i == 0) {
                    stop.awaitReached();
                }
            }
            time.awaitSleepers(4);
            stop.release();
            for (FutureTask<String> caller : callers) {
                assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("1");
            }
            assertThat(store.log).hasSize(2);
        }

        @Test
        void a_row_that_is_gone_is_not_served_any_more_nor_after_a_later_failure() {
            cache.get("a");
            store.rows.remove("a");
            time.advance(ofMinutes(5));
            assertThat(cache.get("a")).isNull();
            breakStore();
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
        }

        @Test
        void what_was_invalidated_is_not_served() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            cache.get("a");
            cache.invalidate("a");
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            mendStore();
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            cache.invalidateAll();
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
        }

        @Test
        void what_was_invalidated_between_the_look_and_the_load_is_not_served() {
            Runnable[] atLoad = {() -> {}};
            LocalCache<String, String> watched = new LocalCache<>(
                    "letters",
                    store,
                    CacheConfig.<String, String>builder()
                            .expireAfter(ofMinutes(5))
                            .staleIfError(ofMinutes(10))
                            .build(),
                    time.environment(),
                    entries -> new InFlight<>(entries) {
                        @Override
                        PendingLoad<String> startLoad(String key, PendingLoad<String> candidate) {
                            atLoad[0].run();
                            return super.startLoad(key, candidate);
                        }
                    });
            watched.get("a");
            time.advance(ofMinutes(5));
            breakStore();
            atLoad[0] = () -> watched.invalidate("a");
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> watched.get("a"));
        }

        @Test
        void what_was_invalidated_during_the_load_does_not_come_back() {
            cache.get("a");
            time.advance(ofMinutes(5));
            store.before = operation -> {
                cache.invalidate("a");
                throw new IOException("down");
            };
            assertThat(cache.get("a")).isEqualTo("1"); // this caller came before
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_refusal_of_a_policy_is_a_failure() {
            cache.get("a");
            time.advance(ofMinutes(5));
            Bulkhead full = Bulkhead.of("full", 1);
            store.before = operation -> full.call(() -> full.call(() -> operation));
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void an_error_an_interrupt_and_a_deadline_of_the_caller_are_not() {
            cache.get("a");
            time.advance(ofMinutes(5));
            AssertionError error = new AssertionError("broken");
            store.before = operation -> {
                throw error;
            };
            assertThatThrownBy(() -> cache.get("a")).isSameAs(error);
            store.before = operation -> {
                throw new InterruptedException();
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            assertThat(Thread.interrupted()).isTrue();
            breakStore();
            Deadline passed = Deadline.after(ZERO, time.environment().clock());
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(() -> CallContext.current().withDeadline(passed).call(() -> cache.get("a")));
            assertThat(cache.get("a")).isEqualTo("1"); // a failure of the store, at last
        }

        @Test
        void the_failure_that_no_caller_sees_is_in_the_log_once() {
            try (CapturedLog log = new CapturedLog(Cache.class)) {
                cache.get("a");
                breakStore();
                time.advance(ofMinutes(5));
                for (int second = 0; second < 20; second++) {
                    cache.get("a");
                    time.advance(ofSeconds(1));
                }
                assertThat(log.lines()).hasSize(1);
            }
        }

        @Test
        void a_value_that_is_written_again_has_no_failures() {
            cache.get("a");
            breakStore();
            time.advance(ofMinutes(5));
            cache.get("a");
            cache.put("a", "put");
            assertThat(cache.getEntry("a").freshness()).isEqualTo(Freshness.FRESH);
            time.advance(ofMinutes(5));
            cache.get("a");
            time.advance(ofSeconds(1)); // the first pause again
            mendStore();
            store.rows.put("a", "new");
            assertThat(cache.get("a")).isEqualTo("new");
        }
    }

    @Test
    void both_windows_follow_each_other() {
        Cache<String, String> cache =
                cache(c -> c.staleWhileRevalidate(ofMinutes(1)).staleIfError(ofMinutes(10)));
        cache.get("a");
        breakStore();
        time.advance(ofMinutes(5));
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(time.pendingTasks()).as("behind the caller").isEqualTo(1);
        time.advance(ofMinutes(1));
        int before = store.log.size();
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(store.log).as("on the caller").hasSize(before + 1);
        assertThat(time.pendingTasks()).isZero();
    }
}
