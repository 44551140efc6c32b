package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Loads that take too long: what callers get meanwhile, and what becomes of the load. */
class LoadTimeLimitsTest {
    private final ManualTime time = new ManualTime();
    private final Environment threaded =
            time.environment().toBuilder().executor(time::start).build();
    private final MapStore store = MapStore.of("a", "1");
    private final List<String> loaders = Collections.synchronizedList(new ArrayList<>());

    private Cache<String, String> cache(Consumer<CacheConfig.Builder<String, String>> more) {
        return Cache.over(
                "letters",
                store,
                c -> more.accept(c.expireAfter(ofMinutes(5)).expiryJitter(0).totals(true)),
                threaded);
    }

    private void slow(long millis) {
        store.before = operation -> {
            loaders.add(Thread.currentThread().getName());
            threaded.scheduler().sleep(ofMillis(millis).toNanos());
        };
    }

    private FutureTask<String> start(Cache<String, String> cache) {
        FutureTask<String> caller = new FutureTask<>(() -> cache.get("a"));
        time.start("caller", caller);
        return caller;
    }

    private static String result(FutureTask<String> caller) throws Exception {
        return caller.get(10, TimeUnit.SECONDS);
    }

    private static Throwable failure(FutureTask<String> caller) {
        Throwable thrown = catchThrowable(() -> result(caller));
        assertThat(thrown).isInstanceOf(ExecutionException.class);
        return thrown.getCause();
    }

    @Nested
    class Soft {
        private final Cache<String, String> cache =
                cache(c -> c.staleIfError(ofMinutes(10)).softLoadTimeout(ofMillis(50)));

        @Test
        void a_caller_with_an_old_value_waits_so_long_and_the_load_goes_on() throws Exception {
            cache.get("a");
            time.advance(ofMinutes(5));
            store.rows.put("a", "new");
            slow(200);
            FutureTask<String> caller = start(cache);
            time.advance(ofMillis(50).minusNanos(1));
            assertThat(caller).isNotDone();
            time.advance(ofNanos(1));
            assertThat(result(caller)).isEqualTo("1");
            assertThat(cache.get("a")).as("for the pause").isEqualTo("1");
            time.advance(ofMillis(150));
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(store.log).hasSize(2);
        }

        private List<Cache<String, String>> ofAllLoaders() {
            Loader<String, String> single = key -> {
                threaded.scheduler().sleep(ofMinutes(1).toNanos());
                return "new";
            };
            BulkLoader<String, String> many = keys -> Map.of("a", String.valueOf(single.load("a")));
            AsyncLoader<String, String> async = (key, executor) -> new CompletableFuture<>();
            List<Cache<String, String>> caches = new ArrayList<>();
            for (Loader<String, String> loader : List.of(single, many, async)) {
                caches.add(Cache.over(
                        "letters",
                        loader,
                        c -> c.expireAfter(ofMinutes(5))
                                .expiryJitter(0)
                                .staleIfError(ofMinutes(10))
                                .softLoadTimeout(ofMillis(50)),
                        threaded));
            }
            return caches;
        }

        private List<Function<Cache<String, String>, Future<String>>> forms() {
            return List.of(
                    asked -> {
                        FutureTask<String> caller = new FutureTask<>(() -> asked.get("a"));
                        time.start("caller", caller);
                        return caller;
                    },
                    asked -> asked.getAsync("a"),
                    asked -> asked.getAllAsync(List.of("a")).thenApply(found -> found.get("a")),
                    asked -> {
                        FutureTask<String> caller = new FutureTask<>(
                                () -> asked.getAll(List.of("a")).get("a"));
                        time.start("caller", caller);
                        return caller;
                    });
        }

        @Test
        void so_do_callers_of_all_forms() throws Exception {
            for (Function<Cache<String, String>, Future<String>> form : forms()) {
                for (Cache<String, String> asked : ofAllLoaders()) {
                    asked.put("a", "1");
                    time.advance(ofMinutes(5));
                    Future<String> caller = form.apply(asked);
                    time.advance(ofMillis(50).minusNanos(1));
                    assertThat(caller).isNotDone();
                    time.advance(ofNanos(1));
                    assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("1");
                    assertThat(asked.get("a")).as("for the pause").isEqualTo("1");
                    time.advance(ofMinutes(1));
                }
            }
        }

        @Test
        void a_value_that_has_come_meanwhile_is_the_answer_and_is_not_loaded_again() throws Exception {
            for (Function<Cache<String, String>, Future<String>> form : forms()) {
                Cache<String, String> asked = ofAllLoaders().get(0);
                asked.put("a", "1");
                time.advance(ofMinutes(5));
                Future<String> caller = form.apply(asked);
                time.advance(ofMillis(1));
                asked.put("a", "2");
                time.advance(ofMillis(49));
                assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("2");
                time.advance(ofMinutes(2));
                assertThat(asked.get("a")).isEqualTo("2");
                time.advance(ofMinutes(2));
                assertThat(asked.getEntry("a").origin()).isEqualTo(CachedValue.Origin.PUT);
            }
        }

        @Test
        void what_is_invalidated_meanwhile_is_no_answer() throws Exception {
            List<Consumer<Cache<String, String>>> invalidations =
                    List.of(asked -> asked.invalidate("a"), Cache::invalidateAll);
            for (Function<Cache<String, String>, Future<String>> form : forms()) {
                for (Consumer<Cache<String, String>> invalidation : invalidations) {
                    for (Cache<String, String> asked : ofAllLoaders().subList(0, 2)) {
                        asked.put("a", "1");
                        time.advance(ofMinutes(5));
                        Future<String> caller = form.apply(asked);
                        time.advance(ofMillis(1));
                        invalidation.accept(asked);
                        time.advance(ofMillis(100));
                        assertThat(caller).isNotDone();
                        time.advance(ofMinutes(1));
                        assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("new");
                    }
                }
            }
        }

        @Test
        void a_load_that_is_quick_enough_is_waited_for() throws Exception {
            cache.get("a");
            time.advance(ofMinutes(5));
            store.rows.put("a", "new");
            slow(49);
            FutureTask<String> caller = start(cache);
            time.advance(ofMillis(49));
            assertThat(result(caller)).isEqualTo("new");
        }

        @Test
        void a_caller_without_an_old_value_waits_for_the_load_on_its_own_thread() throws Exception {
            slow(200);
            FutureTask<String> caller = start(cache);
            time.advance(ofMillis(100));
            assertThat(caller).isNotDone();
            time.advance(ofMillis(100));
            assertThat(result(caller)).isEqualTo("1");
            assertThat(loaders).singleElement().asString().startsWith("caller");
        }

        @Test
        void all_callers_wait_at_most_so_long_and_share_one_load() throws Exception {
            cache.get("a");
            time.advance(ofMinutes(5));
            slow(2_000);
            List<FutureTask<String>> callers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                callers.add(start(cache));
            }
            time.advance(ofMillis(50));
            for (FutureTask<String> caller : callers) {
                assertThat(result(caller)).isEqualTo("1");
            }
            time.advance(ofSeconds(1)); // the pause is over, the load is not
            FutureTask<String> later = start(cache);
            time.advance(ofMillis(50));
            assertThat(result(later)).isEqualTo("1");
            assertThat(store.log).hasSize(2);
        }

        @Test
        void a_load_that_was_handed_over_within_another_one_is_no_ring() throws Exception {
            List<Runnable> kept = Collections.synchronizedList(new ArrayList<>());
            Cache<String, String> nested = Cache.over(
                    "letters",
                    store,
                    c -> c.expiryJitter(0).staleIfError(ofMinutes(10)).softLoadTimeout(ofMillis(50)),
                    time.environment().toBuilder().executor(kept::add).build());
            nested.put("a", "old");
            time.advance(ofMinutes(5));
            FutureTask<String> caller = new FutureTask<>(() -> nested.get("x", key -> nested.get("a") + "!"));
            time.start(caller);
            time.advance(ofMillis(50));
            assertThat(result(caller)).isEqualTo("old!");
            kept.forEach(Runnable::run);
            assertThat(nested.get("a")).isEqualTo("1");
        }
    }

    @Nested
    class Hard {
        private final Cache<String, String> cache = cache(c -> c.loadTimeout(ofMillis(500)));

        @Test
        void a_load_that_takes_too_long_has_failed_for_all_and_its_late_value_is_dropped() throws Exception {
            slow(800);
            List<FutureTask<String>> callers = List.of(start(cache), start(cache), start(cache));
            time.advance(ofMillis(500).minusNanos(1));
            callers.forEach(caller -> assertThat(caller).isNotDone());
            time.advance(ofNanos(1));
            for (FutureTask<String> caller : callers) {
                assertThat(failure(caller))
                        .isInstanceOf(StoreException.class)
                        .hasCauseInstanceOf(TimeoutException.class)
                        .hasMessageContaining("not loaded within 500ms");
            }
            time.advance(ofMillis(300));
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(store.log).hasSize(1);
        }

        @Test
        void the_next_caller_loads_anew_while_the_old_load_hangs() throws Exception {
            slow(100_000);
            FutureTask<String> first = start(cache);
            time.advance(ofMillis(500));
            failure(first);
            store.before = operation -> {};
            assertThat(result(run(start(cache)))).isEqualTo("1");
            store.rows.put("a", "late");
            time.advance(ofSeconds(100));
            assertThat(cache.get("a")).isEqualTo("1");
        }

        private FutureTask<String> run(FutureTask<String> caller) {
            time.advance(ofMillis(1));
            return caller;
        }

        @Test
        void loads_run_on_the_executor_and_leave_no_timer_behind() throws Exception {
            slow(100);
            FutureTask<String> caller = start(cache);
            time.advance(ofMillis(100));
            assertThat(result(caller)).isEqualTo("1");
            assertThat(loaders).singleElement().asString().startsWith("manual-time");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_load_has_no_deadline_of_a_caller_and_outlives_the_caller() throws Exception {
            List<CallContext> seen = new ArrayList<>();
            store.before = operation -> {
                seen.add(CallContext.current());
                threaded.scheduler().sleep(ofMillis(200).toNanos());
            };
            Deadline deadline = Deadline.after(ofMillis(100), threaded.clock());
            FutureTask<String> caller = new FutureTask<>(
                    () -> CallContext.current().withDeadline(deadline).call(() -> cache.get("a")));
            time.start(caller);
            time.advance(ofMillis(100));
            assertThat(failure(caller)).hasCauseInstanceOf(TimeoutException.class);
            time.advance(ofMillis(100));
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            assertThat(seen)
                    .singleElement()
                    .satisfies(it -> assertThat(it.deadline()).isNull());
        }

        @Test
        void a_value_that_was_invalidated_during_a_load_on_the_executor_does_not_come_back() throws Exception {
            slow(100);
            FutureTask<String> caller = start(cache);
            time.advance(ofMillis(50));
            cache.invalidate("a");
            time.advance(ofMillis(50));
            assertThat(result(caller)).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_loader_that_needs_its_own_key_fails_instead_of_hanging() throws Exception {
            Cache<String, String> own = Cache.of("own", c -> c.loadTimeout(ofSeconds(10)), threaded);
            FutureTask<String> caller = new FutureTask<>(() -> own.get("a", key -> own.get("b", k -> own.get("a"))));
            time.start(caller);
            time.runReady();
            assertThat(failure(caller))
                    .isInstanceOf(StoreException.class)
                    .hasRootCauseInstanceOf(IllegalStateException.class);
            assertThat(time.elapsed()).isZero();
        }

        @Test
        void an_old_value_is_served_when_the_store_hangs() throws Exception {
            Cache<String, String> lenient =
                    cache(c -> c.loadTimeout(ofMillis(500)).staleIfError(ofMinutes(10)));
            FutureTask<String> first = start(lenient);
            time.runReady();
            assertThat(result(first)).isEqualTo("1");
            time.advance(ofMinutes(5));
            slow(100_000);
            FutureTask<String> caller = start(lenient);
            time.advance(ofMillis(500));
            assertThat(result(caller)).isEqualTo("1");
        }

        @Test
        void a_hang_is_a_failure_that_can_be_cached() throws Exception {
            Cache<String, String> cached =
                    cache(c -> c.loadTimeout(ofMillis(500)).expireFailuresAfter(ofSeconds(10)));
            slow(100_000);
            FutureTask<String> first = start(cached);
            time.advance(ofMillis(500));
            failure(first);
            assertThat(catchThrowable(() -> cached.get("a"))).hasCauseInstanceOf(TimeoutException.class);
            assertThat(store.log).hasSize(1);
        }

        @Test
        void a_refresh_that_hangs_leaves_the_value_and_is_tried_again() {
            Cache<String, String> ahead =
                    cache(c -> c.loadTimeout(ofMillis(500)).refreshAfter(ofMinutes(4)));
            ahead.put("a", "1");
            time.advance(ofMinutes(4));
            slow(100_000);
            assertThat(ahead.get("a")).isEqualTo("1");
            time.advance(ofSeconds(1));
            assertThat(RefreshAheadTest.metrics(ahead))
                    .containsEntry("cache.refresh.failures", 1.0)
                    .containsEntry("cache.loading", 0.0);
            store.before = operation -> {};
            store.rows.put("a", "new");
            time.advance(ofSeconds(1));
            ahead.get("a");
            time.runReady();
            assertThat(ahead.get("a")).isEqualTo("new");
        }

        @Test
        void an_executor_that_rejects_does_not_fail_a_load_that_a_caller_waits_for() throws Exception {
            Cache<String, String> rejected = Cache.over(
                    "letters",
                    store,
                    c -> c.loadTimeout(ofSeconds(10)),
                    time.environment().toBuilder()
                            .executor(task -> {
                                throw new RejectedExecutionException("full");
                            })
                            .build());
            assertThat(rejected.get("a")).isEqualTo("1"); // on that of the machine
        }

        @Test
        void a_closed_environment_fails_the_load_and_nothing_hangs() {
            Environment closed = Environment.closeable("closed");
            closed.close();
            Cache<String, String> late = Cache.over("letters", store, c -> c.loadTimeout(ofSeconds(10)), closed);
            assertThat(catchThrowable(() -> late.get("a")))
                    .isInstanceOf(StoreException.class)
                    .hasCauseInstanceOf(RejectedExecutionException.class);
            assertThat(RefreshAheadTest.metrics(late)).containsEntry("cache.loading", 0.0);
        }

        @Test
        void a_load_whose_thread_is_interrupted_fails_and_is_neither_repeated_nor_cached() throws Exception {
            Cache<String, String> cached =
                    cache(c -> c.loadTimeout(ofMillis(500)).expireFailuresAfter(ofSeconds(10)));
            store.before = operation -> {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted");
            };
            FutureTask<String> first = start(cached);
            time.runReady();
            assertThat(failure(first)).hasCauseInstanceOf(IOException.class);
            store.before = operation -> {};
            FutureTask<String> second = start(cached);
            time.runReady();
            assertThat(result(second)).isEqualTo("1");
        }
    }
}
