package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AsyncLoadTest {
    private final ManualTime time = new ManualTime();
    private final Environment threads =
            time.environment().toBuilder().executor(time::start).build();
    private final MapStore store = MapStore.of("a", "1", "b", "2", "c", "3");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> {}, threads);
    private final Stop stop = new Stop();

    /** Stages that a client has not completed yet. */
    private final Map<String, CompletableFuture<String>> stages = new java.util.concurrent.ConcurrentHashMap<>();

    private final AsyncLoader<String, String> client =
            (key, executor) -> stages.computeIfAbsent(key, k -> new CompletableFuture<>());
    private final Cache<String, String> remote = Cache.over("remote", client, c -> {}, threads);

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(java.util.concurrent.Future<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    private static Throwable failure(CompletableFuture<?> future) {
        Throwable thrown = catchThrowable(() -> future.get(10, TimeUnit.SECONDS));
        return thrown.getCause() == null ? thrown : thrown.getCause();
    }

    @Nested
    class OneLoad {
        @Test
        void is_shared_by_asynchronous_and_blocking_callers() throws Exception {
            store.before = operation -> stop.pass();
            CompletableFuture<String> first = cache.getAsync("a");
            stop.awaitReached();
            CompletableFuture<String> second = cache.getAsync("a");
            FutureTask<String> blocking = start(() -> cache.get("a"));
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(List.of("a")));
            CompletableFuture<Map<String, String>> all = cache.getAllAsync(List.of("a"));
            time.awaitSleepers(2);
            stop.release();
            assertThat(result(first)).isEqualTo("1");
            assertThat(result(second)).isEqualTo("1");
            assertThat(result(blocking)).isEqualTo("1");
            assertThat(result(bulk)).isEqualTo(Map.of("a", "1"));
            assertThat(result(all)).isEqualTo(Map.of("a", "1"));
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void of_a_blocking_caller_is_shared_with_an_asynchronous_one() throws Exception {
            store.before = operation -> stop.pass();
            FutureTask<String> blocking = start(() -> cache.get("a"));
            stop.awaitReached();
            CompletableFuture<String> async = cache.getAsync("a");
            stop.release();
            assertThat(result(async)).isEqualTo("1");
            assertThat(result(blocking)).isEqualTo("1");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void that_was_invalidated_is_not_shared_with_those_that_come_later() throws Exception {
            store.after = operation -> stop.pass();
            CompletableFuture<String> before = cache.getAsync("a");
            stop.awaitReached();
            store.rows.put("a", "new");
            cache.invalidate("a");
            assertThat(result(cache.getAsync("a"))).isEqualTo("new");
            stop.release();
            assertThat(result(before)).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
        }

        @Test
        void of_many_keys_is_one_call_in_the_order_of_the_keys() throws Exception {
            List<Set<?>> calls = new ArrayList<>();
            BulkLoader<String, String> many = keys -> {
                calls.add(Set.copyOf(keys));
                return Map.of("a", "1", "b", "2");
            };
            cache.put("c", "cached");
            Map<String, String> all = result(cache.getAllAsync(List.of("c", "b", "x", "a", "b"), many));
            assertThat(all).containsExactly(Map.entry("c", "cached"), Map.entry("b", "2"), Map.entry("a", "1"));
            assertThat(calls).containsExactly(Set.of("a", "b", "x"));
            assertThat(result(cache.getAllAsync(List.of()))).isEmpty();
        }
    }

    @Nested
    class ACaller {
        @Test
        void that_cancels_ends_its_wait_and_not_the_load() throws Exception {
            store.before = operation -> stop.pass();
            CompletableFuture<String> first = cache.getAsync("a");
            stop.awaitReached();
            CompletableFuture<String> second = cache.getAsync("a");
            first.cancel(true);
            stop.release();
            assertThat(result(second)).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
        }

        @Test
        void whose_deadline_passes_ends_its_wait_and_not_the_load() throws Exception {
            store.before = operation -> stop.pass();
            Deadline deadline = Deadline.after(ofSeconds(1), threads.clock());
            CompletableFuture<String> late =
                    CallContext.current().withDeadline(deadline).call(() -> cache.getAsync("a"));
            stop.awaitReached();
            CompletableFuture<String> patient = cache.getAsync("a");
            time.advance(ofSeconds(1));
            assertThat(failure(late))
                    .isInstanceOf(StoreException.class)
                    .hasMessageStartingWith("cache \"letters\" could not load in time")
                    .hasCauseInstanceOf(TimeoutException.class);
            assertThat(patient).isNotDone();
            stop.release();
            assertThat(result(patient)).isEqualTo("1");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void that_cancels_a_call_for_many_ends_its_waits() throws Exception {
            CompletableFuture<Map<String, String>> all = remote.getAllAsync(List.of("a", "b"));
            CompletableFuture<String> other = remote.getAsync("a");
            time.runReady();
            all.cancel(false);
            stages.get("a").complete("1");
            assertThat(result(other)).isEqualTo("1");
        }

        @Test
        void that_blocks_and_has_to_leave_gives_its_load_to_an_asynchronous_one() throws Exception {
            store.before = operation -> stop.pass();
            FutureTask<String> blocking = new FutureTask<>(() -> cache.get("a"));
            Thread loads = time.start(blocking);
            stop.awaitReached();
            CompletableFuture<String> async = cache.getAsync("a");
            loads.interrupt();
            assertThat(result(async)).isEqualTo("1");
            assertThat(store.log).containsExactly("load a", "load a");
        }

        @Test
        void gets_a_value_that_is_there_at_once() {
            cache.put("a", "put");
            assertThat(cache.getAsync("a")).isCompletedWithValue("put");
            assertThat(cache.getAllAsync(List.of("a"))).isCompletedWithValue(Map.of("a", "put"));
        }

        @Test
        void gets_errors_of_its_arguments_thrown() {
            assertThatThrownBy(() -> cache.getAsync(null)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> cache.getAllAsync(java.util.Arrays.asList("a", null)))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessageContaining("keys[1]");
            assertThatThrownBy(() -> Cache.of("bare").getAsync("a"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has no store");
        }
    }

    @Nested
    class AFailure {
        @Test
        void of_the_store_is_that_of_each_stage() {
            IOException disk = new IOException("disk");
            store.before = operation -> {
                throw disk;
            };
            assertThat(failure(cache.getAsync("a")))
                    .isInstanceOf(StoreException.class)
                    .hasCause(disk);
            assertThat(failure(cache.getAllAsync(List.of("a", "b")))).isInstanceOf(PartialLoadException.class);
        }

        @Test
        void of_an_executor_that_takes_nothing_is_that_of_the_load_and_of_those_that_wait() {
            Environment full = time.environment().toBuilder()
                    .executor(task -> {
                        throw new RejectedExecutionException("full");
                    })
                    .build();
            Cache<String, String> rejecting = Cache.over("full", store, c -> {}, full);
            assertThat(failure(rejecting.getAsync("a")))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("cache \"full\": the executor takes no loads");
            assertThat(rejecting.get("a")).isEqualTo("1");
        }

        @Test
        void of_an_executor_that_drops_it_comes_in_time_for_all_that_wait() {
            List<Runnable> dropped = new ArrayList<>();
            Environment losing =
                    time.environment().toBuilder().executor(dropped::add).build();
            Cache<String, String> cache = Cache.over("losing", store, c -> {}, losing);
            CompletableFuture<String> first = cache.getAsync("a");
            CompletableFuture<String> second = cache.getAsync("a");
            CompletableFuture<Map<String, String>> many = cache.getAllAsync(List.of("b", "c"));
            time.advance(ofSeconds(29));
            assertThat(first).isNotDone();
            time.advance(ofSeconds(60));
            for (CompletableFuture<?> call : List.of(first, second)) {
                assertThat(failure(call.orTimeout(60, TimeUnit.SECONDS))).hasMessageContaining("the executor takes no");
            }
            assertThat(failure(many.orTimeout(60, TimeUnit.SECONDS))).isInstanceOf(PartialLoadException.class);
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(dropped).isNotEmpty();
            int loads = store.log.size();
            dropped.forEach(Runnable::run);
            assertThat(store.log).as("what was given up does not run").hasSize(loads);
        }

        @Test
        void that_is_an_error_does_not_kill_the_executor() {
            store.before = operation -> {
                throw new AssertionError("broken");
            };
            assertThat(failure(cache.getAsync("a")))
                    .isInstanceOf(StoreException.class)
                    .hasCauseInstanceOf(AssertionError.class);
        }
    }

    @Nested
    class AnAsynchronousLoader {
        @Test
        void holds_no_thread_while_its_stage_is_open() throws Exception {
            CompletableFuture<String> first = remote.getAsync("a");
            CompletableFuture<String> second = remote.getAsync("a");
            FutureTask<String> blocking = start(() -> remote.get("a"));
            time.awaitSleepers(1); // the blocking caller, and no other
            time.runReady();
            assertThat(first).isNotDone();
            stages.get("a").complete("1");
            assertThat(result(first)).isEqualTo("1");
            assertThat(result(second)).isEqualTo("1");
            assertThat(result(blocking)).isEqualTo("1");
            assertThat(remote.getIfPresent("a")).isEqualTo("1");
        }

        @Test
        void begins_all_stages_of_many_keys_at_once() throws Exception {
            CompletableFuture<Map<String, String>> all = remote.getAllAsync(List.of("a", "b", "c"));
            time.runReady();
            assertThat(stages).containsOnlyKeys("a", "b", "c");
            stages.get("b").complete("2");
            stages.get("c").complete(null);
            stages.get("a").complete("1");
            assertThat(result(all)).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
        }

        @Test
        void is_begun_for_all_keys_at_once_by_a_blocking_caller_too() throws Exception {
            FutureTask<Map<String, String>> all = start(() -> remote.getAll(List.of("a", "b")));
            time.awaitSleepers(1);
            time.runReady();
            stages.get("b").complete("2");
            stages.get("a").complete("1");
            assertThat(result(all)).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
        }

        @Test
        void whose_stage_fails_fails_the_load() {
            CompletableFuture<String> get = remote.getAsync("a");
            time.runReady();
            stages.get("a").completeExceptionally(new CompletionException(new IOException("reset")));
            assertThat(failure(get)).isInstanceOf(StoreException.class).hasCauseInstanceOf(IOException.class);
        }

        @Test
        void that_throws_or_returns_null_fails_the_load() {
            Cache<String, String> broken =
                    Cache.over("broken", (AsyncLoader<String, String>) (key, executor) -> null, c -> {}, threads);
            assertThat(failure(broken.getAsync("a"))).hasMessageContaining("returned a null stage");
            AsyncLoader<String, String> throwing = (key, executor) -> {
                throw new IOException("no connection");
            };
            assertThat(failure(broken.getAsync("a", throwing))).hasRootCauseMessage("no connection");
        }

        @Test
        void whose_value_was_invalidated_meanwhile_is_not_kept() throws Exception {
            CompletableFuture<String> get = remote.getAsync("a");
            time.runReady();
            remote.invalidate("a");
            stages.get("a").complete("old");
            assertThat(result(get)).isEqualTo("old");
            assertThat(remote.getIfPresent("a")).isNull();
        }

        @Test
        void can_be_called_by_what_wraps_it() throws Exception {
            AsyncLoader<String, String> done = (key, executor) -> CompletableFuture.completedFuture(key + key);
            assertThat(done.load("a")).isEqualTo("aa");
            AsyncLoader<String, String> failed =
                    (key, executor) -> CompletableFuture.failedFuture(new IOException("reset"));
            assertThatThrownBy(() -> failed.load("a")).isInstanceOf(IOException.class);
        }
    }

    @Nested
    class AStageThatNeverCompletes {
        private final Cache<String, String> limited =
                Cache.over("limited", client, c -> c.loadTimeout(ofSeconds(1)), threads);

        @Test
        void is_bounded_by_the_time_limit_of_loads() throws Exception {
            CompletableFuture<String> get = limited.getAsync("a");
            CompletableFuture<Map<String, String>> all = limited.getAllAsync(List.of("a", "b"));
            FutureTask<Map<String, String>> blocking = start(() -> limited.getAll(List.of("a")));
            time.awaitSleepers(1);
            time.advance(ofSeconds(1));
            assertThat(failure(get)).isInstanceOf(StoreException.class).hasCauseInstanceOf(TimeoutException.class);
            assertThat(failure(all)).isInstanceOf(RuntimeException.class);
            assertThat(catchThrowable(() -> result(blocking))).hasRootCauseInstanceOf(TimeoutException.class);
            CompletableFuture<String> late = stages.remove("a");
            CompletableFuture<String> again = limited.getAsync("a");
            time.runReady();
            late.complete("late");
            assertThat(limited.getIfPresent("a")).isNull();
            stages.get("a").complete("new");
            assertThat(result(again)).isEqualTo("new");
            assertThat(limited.getIfPresent("a")).isEqualTo("new");
            while (time.pendingTimers() > 0) { // threads that have just begun take their timers back
                Thread.onSpinWait();
            }
        }

        @Test
        void does_not_keep_a_call_for_many_keys_longer_either() throws Exception {
            BulkLoader<String, String> hangs = keys -> {
                stop.pass();
                return Map.of();
            };
            FutureTask<Map<String, String>> blocking = start(() -> limited.getAll(List.of("a", "b"), hangs));
            stop.awaitReached();
            CompletableFuture<Map<String, String>> joins = limited.getAllAsync(List.of("b"));
            time.awaitSleepers(1);
            time.advance(ofSeconds(1));
            assertThat(catchThrowable(() -> result(blocking))).hasRootCauseInstanceOf(TimeoutException.class);
            assertThat(failure(joins)).hasRootCauseInstanceOf(TimeoutException.class);
            stop.release();
        }

        @Test
        void keeps_its_room_among_the_loads_in_the_background_and_no_thread() throws Exception {
            Cache<String, String> refreshing = Cache.over(
                    "refreshing", client, c -> c.refreshAfter(ofSeconds(1)).maxRefreshes(1), threads);
            refreshing.put("a", "old");
            refreshing.put("b", "old");
            time.advance(ofSeconds(2));
            assertThat(refreshing.get("a")).isEqualTo("old");
            time.runReady();
            assertThat(stages).containsOnlyKeys("a");
            assertThat(refreshing.get("b")).isEqualTo("old");
            time.runReady();
            assertThat(stages).containsOnlyKeys("a");
            stages.get("a").complete("new");
            assertThat(refreshing.get("a")).isEqualTo("new");
            assertThat(refreshing.get("b")).isEqualTo("old");
            time.runReady();
            assertThat(stages).containsOnlyKeys("a", "b");
        }
    }

    @Nested
    class ALoadThatNeedsItself {
        private final Cache<String, String> self = Cache.of("self", c -> {}, threads);

        @Test
        void through_its_own_stage_fails() {
            CompletableFuture<String> get =
                    self.getAsync("a", key -> self.getAsync("a", k -> k).join());
            assertThat(failure(get))
                    .hasRootCauseInstanceOf(IllegalStateException.class)
                    .hasStackTraceContaining("cannot load key a")
                    .hasStackTraceContaining("self[a] -> self[a]");
        }

        @Test
        void through_the_stage_of_another_one_fails() {
            Loader<String, String> needsA = key -> self.getAsync("a", k -> k).join();
            CompletableFuture<String> get =
                    self.getAsync("a", key -> self.getAsync("b", needsA).join());
            assertThat(failure(get))
                    .hasRootCauseInstanceOf(IllegalStateException.class)
                    .hasStackTraceContaining("self[b] -> self[a] -> self[b]");
        }

        @Test
        void through_a_blocking_get_within_a_stage_fails() {
            CompletableFuture<String> get = self.getAsync(
                    "a", key -> self.getAsync("b", k -> self.get("a", x -> x)).join());
            assertThat(failure(get)).hasRootCauseInstanceOf(IllegalStateException.class);
        }

        @Test
        void through_what_depends_on_a_stage_fails() {
            AsyncLoader<String, String> needsItself =
                    (key, executor) -> self.getAsync("b", k -> k).thenCompose(b -> self.getAsync("a", k -> k));
            assertThat(failure(self.getAsync("a", needsItself))).hasRootCauseInstanceOf(IllegalStateException.class);
        }

        @Test
        void through_what_runs_on_its_executor_fails() {
            AsyncLoader<String, String> needsItself =
                    (key, executor) -> CompletableFuture.supplyAsync(() -> "x", executor)
                            .thenComposeAsync(x -> self.getAsync("a", k -> k), executor);
            assertThat(failure(self.getAsync("a", needsItself))).hasRootCauseInstanceOf(IllegalStateException.class);
        }

        @Test
        void does_not_fail_when_the_other_one_has_ended() throws Exception {
            Loader<String, String> loader = key -> self.getAsync("b", k -> k).join() + self.get("b", k -> k);
            assertThat(result(self.getAsync("a", loader))).isEqualTo("bb");
        }
    }

    @Test
    void what_depends_on_a_stage_does_not_keep_the_thread_that_loads() throws Exception {
        store.before = operation -> stop.pass();
        FutureTask<String> blocking = start(() -> cache.get("a"));
        stop.awaitReached();
        List<Thread> ran = Collections.synchronizedList(new ArrayList<>());
        CompletableFuture<Void> dependent = cache.getAsync("a").thenAccept(v -> ran.add(Thread.currentThread()));
        CompletableFuture<Thread> loading = new CompletableFuture<>();
        store.after = operation -> loading.complete(Thread.currentThread());
        stop.release();
        result(dependent);
        result(blocking);
        assertThat(ran).doesNotContain(result(loading)).hasSize(1);
    }

    @Test
    void ten_thousand_impatient_callers_leave_nothing_behind() {
        for (int i = 0; i < 10_000; i++) {
            remote.getAsync("a").orTimeout(1, TimeUnit.MILLISECONDS).cancel(false);
        }
        time.advance(ofMillis(10));
        CompletableFuture<String> last = remote.getAsync("a");
        time.runReady();
        stages.get("a").complete("1");
        time.runReady();
        assertThat(last).isCompletedWithValue("1");
    }
}
