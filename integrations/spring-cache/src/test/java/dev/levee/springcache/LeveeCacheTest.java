package dev.levee.springcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.Store;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.cache.Cache;
import org.springframework.cache.Cache.ValueRetrievalException;
import org.springframework.cache.interceptor.CacheOperationInvoker.ThrowableWrapper;

class LeveeCacheTest {
    private final ManualTime time = new ManualTime();
    private final Cache cache = LeveeCache.of("letters", c -> {}, time.environment());
    private final CountDownLatch loading = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    private static Throwable failure(FutureTask<?> task) {
        Throwable thrown = catchThrowable(() -> result(task));
        assertThat(thrown).isInstanceOf(ExecutionException.class);
        return thrown.getCause();
    }

    private static void pass(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A caller whose load has begun and is held. */
    private FutureTask<String> held(Callable<String> load) throws Exception {
        FutureTask<String> first = start(() -> cache.get("a", () -> {
            loading.countDown();
            released.await();
            return load.call();
        }));
        loading.await();
        return first;
    }

    private List<FutureTask<String>> waiters(int count) {
        List<FutureTask<String>> waiters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            waiters.add(start(() -> cache.get("a", () -> "of a waiter")));
        }
        time.awaitSleepers(count);
        return waiters;
    }

    @Nested
    class Values {
        @Test
        void are_there_until_they_are_evicted() {
            assertThat(cache.get("a")).isNull();
            cache.put("a", "1");

            assertThat(cache.get("a").get()).isEqualTo("1");
            assertThat(cache.get("a", String.class)).isEqualTo("1");
            assertThat(cache.get("a", () -> "2")).isEqualTo("1");
            cache.evict("a");
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void of_another_type_are_an_error() {
            cache.put("a", "1");

            assertThatThrownBy(() -> cache.get("a", Integer.class)).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void may_be_null() {
            AtomicInteger loads = new AtomicInteger();
            for (int i = 0; i < 2; i++) {
                assertThat(cache.<String>get("a", () -> {
                            loads.incrementAndGet();
                            return null;
                        }))
                        .isNull();
            }

            assertThat(loads).hasValue(1);
            assertThat(cache.get("a")).isNotNull();
            assertThat(cache.get("a").get()).isNull();
            cache.put("b", null);
            assertThat(cache.get("b")).isNotNull();
            assertThat(cache.get("b", String.class)).isNull();
        }

        @Test
        void may_not_be_null_where_nulls_are_refused() {
            Cache strict = LeveeCache.of("strict").withoutNulls();

            assertThatThrownBy(() -> strict.put("a", null)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> strict.get("a", () -> null))
                    .isInstanceOf(ValueRetrievalException.class)
                    .hasCauseInstanceOf(IllegalArgumentException.class);
            assertThat(strict.get("a")).isNull();
        }

        @Test
        void expire() {
            Cache brief = LeveeCache.of("brief", c -> c.expireAfter(Duration.ofSeconds(1)), time.environment());
            brief.put("a", "1");
            time.advance(Duration.ofSeconds(1));

            assertThat(brief.get("a")).isNull();
        }

        @Test
        void have_keys_that_are_not_null() {
            assertThatThrownBy(() -> cache.get(null)).hasMessage("key");
            assertThatThrownBy(() -> cache.put(null, "1")).hasMessage("key");
            assertThatThrownBy(() -> cache.evict(null)).hasMessage("key");
        }

        @Test
        void are_all_gone_after_a_clear() {
            assertThat(cache.invalidate()).isFalse();
            cache.put("a", "1");
            cache.put("b", "2");

            assertThat(cache.invalidate()).isTrue();
            assertThat(cache.get("a")).isNull();
            cache.put("a", "1");
            cache.clear();
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void tell_whether_they_were_there_when_they_are_evicted() {
            cache.put("a", "1");

            assertThat(cache.evictIfPresent("a")).isTrue();
            assertThat(cache.evictIfPresent("a")).isFalse();
            assertThat(cache.get("a")).isNull();
        }
    }

    @Nested
    class PutIfAbsent {
        @Test
        void sets_what_is_missing_and_returns_what_is_there() {
            assertThat(cache.putIfAbsent("a", "1")).isNull();
            assertThat(cache.putIfAbsent("a", "2").get()).isEqualTo("1");
            assertThat(cache.get("a").get()).isEqualTo("1");
        }

        @Test
        void takes_null_for_a_value() {
            assertThat(cache.putIfAbsent("a", null)).isNull();
            assertThat(cache.putIfAbsent("a", "2")).isNotNull();
            assertThat(cache.putIfAbsent("a", "2").get()).isNull();
        }

        @Test
        void does_not_wait_for_a_load_and_keeps_its_value_out() throws Exception {
            FutureTask<String> first = held(() -> "loaded");
            assertThat(cache.putIfAbsent("a", "put")).isNull();
            released.countDown();

            assertThat(result(first)).isEqualTo("loaded");
            assertThat(cache.get("a").get()).isEqualTo("put");
        }

        @Test
        void returns_a_stale_value_and_does_not_take_its_place() {
            Cache stale = LeveeCache.of(
                    "stale",
                    c -> c.expireAfter(Duration.ofSeconds(1)).staleWhileRevalidate(Duration.ofSeconds(10)),
                    time.environment());
            stale.put("a", "old");
            time.advance(Duration.ofSeconds(2));

            assertThat(stale.putIfAbsent("a", "new").get()).isEqualTo("old");
            time.advance(Duration.ofSeconds(1));
            assertThat(stale.get("a").get()).isEqualTo("old");
        }

        @Test
        void lets_one_of_two_win() throws Exception {
            AtomicInteger lives = new AtomicInteger();
            Cache hooked = LeveeCache.of(
                    "hooked",
                    c -> c.expireAfter((key, value) -> {
                        if (lives.incrementAndGet() == 1) {
                            loading.countDown();
                            pass(released);
                        }
                        return Duration.ofHours(1);
                    }),
                    time.environment());
            FutureTask<Cache.ValueWrapper> first = start(() -> hooked.putIfAbsent("a", "1"));
            loading.await();
            assertThat(hooked.putIfAbsent("a", "2")).isNull(); // it does not wait for the function of the other one
            released.countDown();

            assertThat(result(first).get()).isEqualTo("2");
            assertThat(hooked.get("a").get()).isEqualTo("2");
        }

        @Test
        void lets_one_win_of_those_that_change_the_native_cache() throws Exception {
            AtomicInteger won = new AtomicInteger();
            Cache raced = LeveeCache.of("raced");
            List<FutureTask<Boolean>> all = new java.util.ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String value = "v" + i;
                boolean isNative = i % 2 == 0;
                all.add(start(() -> {
                    for (int key = 0; key < 500; key++) {
                        boolean set = isNative
                                ? ((LeveeCache) raced).getNativeCache().putIfAbsent(key, value) == null
                                : raced.putIfAbsent(key, value) == null;
                        if (set) {
                            won.incrementAndGet();
                        }
                    }
                    return true;
                }));
            }
            for (FutureTask<Boolean> one : all) {
                result(one);
            }
            assertThat(won).hasValue(500);
        }

        @Test
        void tells_one_of_those_that_evict_that_there_was_a_value() throws Exception {
            AtomicInteger told = new AtomicInteger();
            for (int key = 0; key < 500; key++) {
                cache.put(key, "1");
            }
            List<FutureTask<Boolean>> all = new java.util.ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(start(() -> {
                    for (int key = 0; key < 500; key++) {
                        if (cache.evictIfPresent(key)) {
                            told.incrementAndGet();
                        }
                    }
                    return true;
                }));
            }
            for (FutureTask<Boolean> one : all) {
                result(one);
            }
            assertThat(told).hasValue(500);
        }
    }

    @Nested
    class Loads {
        @Test
        void are_shared_by_callers_that_miss_together() throws Exception {
            FutureTask<String> first = held(() -> "1");
            List<FutureTask<String>> waiters = waiters(10);
            released.countDown();

            assertThat(result(first)).isEqualTo("1");
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isEqualTo("1");
            }
        }

        @Test
        void that_fail_give_each_caller_the_cause() throws Exception {
            IOException disk = new IOException("disk");
            FutureTask<String> first = held(() -> {
                throw disk;
            });
            List<FutureTask<String>> waiters = waiters(3);
            released.countDown();

            List<Throwable> failures = new ArrayList<>(List.of(failure(first)));
            waiters.forEach(it -> failures.add(failure(it)));
            assertThat(failures)
                    .doesNotHaveDuplicates()
                    .allSatisfy(it -> assertThat(it)
                            .isInstanceOf(ValueRetrievalException.class)
                            .hasCause(disk));
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void that_are_refused_by_a_policy_fail_with_the_refusal() {
            Bulkhead full = Bulkhead.of("full", 1);

            Throwable failure = catchThrowable(() ->
                    cache.get("a", () -> full.call(() -> cache.get("b", () -> full.call(() -> "never")))));

            assertThat(failure).isInstanceOf(ValueRetrievalException.class);
            assertThat(failure.getCause()).isInstanceOf(ValueRetrievalException.class);
            assertThat(failure.getCause().getCause().getMessage()).contains("full");
        }

        @Test
        void that_throw_an_error_throw_that_error() {
            AssertionError broken = new AssertionError("broken");

            assertThat(catchThrowable(() -> cache.get("a", () -> {
                        throw broken;
                    })))
                    .isSameAs(broken);
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void are_not_kept_if_the_key_was_evicted_meanwhile() throws Exception {
            FutureTask<String> first = held(() -> "old");
            cache.evict("a");
            released.countDown();

            assertThat(result(first)).isEqualTo("old");
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void are_not_kept_if_the_cache_was_cleared_meanwhile() throws Exception {
            FutureTask<String> first = held(() -> "old");
            cache.clear();
            released.countDown();

            assertThat(result(first)).isEqualTo("old");
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void that_were_interrupted_are_begun_again_by_one_that_waits() throws Exception {
            FutureTask<String> first = held(() -> {
                throw new ThrowableWrapper(new InterruptedException());
            });
            List<FutureTask<String>> waiters = waiters(2);
            released.countDown();

            assertThat(failure(first)).hasCauseInstanceOf(ThrowableWrapper.class);
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isEqualTo("of a waiter");
            }
        }

        @Test
        void that_take_too_long_for_a_caller_say_so() throws Exception {
            held(() -> "1");
            FutureTask<String> late = start(() -> CallContext.current()
                    .withDeadline(Deadline.after(
                            Duration.ofSeconds(1), time.environment().clock()))
                    .call(() -> cache.get("a", () -> "2")));
            time.awaitSleepers(1);
            time.advance(Duration.ofSeconds(1));

            assertThat(failure(late))
                    .isInstanceOf(ValueRetrievalException.class)
                    .hasCauseInstanceOf(StoreException.class)
                    .hasRootCauseInstanceOf(java.util.concurrent.TimeoutException.class);
            released.countDown();
        }

        @Test
        void that_a_caller_waits_for_can_be_left_by_an_interrupt() throws Exception {
            held(() -> "1");
            Thread[] thread = new Thread[1];
            FutureTask<String> waiter = start(() -> {
                thread[0] = Thread.currentThread();
                return cache.get("a", () -> "2");
            });
            time.awaitSleepers(1);
            thread[0].interrupt();

            assertThat(failure(waiter)).isInstanceOf(InterruptedWaitException.class);
            released.countDown();
        }

        @Test
        void that_need_themselves_fail() {
            Throwable failure = catchThrowable(() -> cache.get("a", () -> cache.get("a", () -> "1")));

            assertThat(failure).isInstanceOf(ValueRetrievalException.class);
            assertThat(failure).hasRootCauseInstanceOf(IllegalStateException.class);
        }
    }

    /** The rows of a table. */
    static final class Rows implements Store<String, String> {
        final Map<String, String> rows = new ConcurrentHashMap<>(Map.of("a", "1"));

        @Override
        public String load(String key) {
            return rows.get(key);
        }

        @Override
        public void save(String key, String value) {
            rows.put(key, value);
        }

        @Override
        public void delete(String key) {
            rows.remove(key);
        }
    }

    /** Without annotations. */
    @Nested
    class Retrievals {
        private final Cache later = LeveeCache.of("later");

        @Test
        void of_a_key_without_a_value_are_null() throws Exception {
            assertThat(later.retrieve("a")).isNull();
            later.put("a", null);
            assertThat(later.retrieve("a").get()).isInstanceOf(Cache.ValueWrapper.class);
        }

        @Test
        void fail_with_what_the_loader_threw() {
            IllegalArgumentException wrong = new IllegalArgumentException("wrong");

            assertThatThrownBy(() -> later.retrieve("a", () -> {
                                throw wrong;
                            })
                            .get(10, TimeUnit.SECONDS))
                    .hasCause(wrong);
            assertThatThrownBy(() -> later.retrieve("a", () -> CompletableFuture.failedFuture(wrong))
                            .get(10, TimeUnit.SECONDS))
                    .hasCause(wrong);
            assertThatThrownBy(() -> later.retrieve("a", () -> null).get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(NullPointerException.class);
        }

        @Test
        void that_are_cancelled_do_not_end_the_load() throws Exception {
            CompletableFuture<String> load = new CompletableFuture<>();
            CompletableFuture<String> first = later.retrieve("a", () -> load);
            CompletableFuture<String> second = later.retrieve("a", () -> load);
            first.cancel(true);
            load.complete("1");

            assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo("1");
            assertThat(later.get("a").get()).isEqualTo("1");
            assertThat(load.isCancelled()).isFalse();
        }

        @Test
        void are_not_kept_if_the_cache_was_cleared_meanwhile() throws Exception {
            CompletableFuture<String> load = new CompletableFuture<>();
            CountDownLatch begun = new CountDownLatch(1);
            CompletableFuture<String> first = later.retrieve("a", () -> {
                begun.countDown();
                return load;
            });
            begun.await();
            later.clear();
            load.complete("old");

            assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(later.get("a")).isNull();
        }

        @Test
        void refuse_null_where_nulls_are_refused() {
            Cache strict = LeveeCache.of("strict").withoutNulls();

            assertThatThrownBy(() -> strict.retrieve("a", () -> CompletableFuture.completedFuture(null))
                            .get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void load_from_a_store() throws Exception {
            Cache reading = LeveeCache.over("reading", new Rows(), c -> {});

            assertThat(((Cache.ValueWrapper) reading.retrieve("a").get(10, TimeUnit.SECONDS)).get())
                    .isEqualTo("1");
            assertThat(reading.retrieve("b").get(10, TimeUnit.SECONDS)).isNull();
        }
    }

    @Nested
    class OverAStore {
        private final Rows store = new Rows();
        private final Cache reading = LeveeCache.over("reading", store, c -> {}, time.environment());
        private final Cache writing = LeveeCache.over("writing", store, c -> c.writeThrough(), time.environment());

        @Test
        void values_are_loaded_and_null_is_none() {
            assertThat(reading.get("a").get()).isEqualTo("1");
            assertThat(reading.get("b")).isNull();
            assertThat(reading.get("b", String.class)).isNull();
            assertThat(reading.<String>get("b", () -> null)).isNull();
            assertThatThrownBy(() -> reading.put("b", null)).isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void puts_write_the_store_if_the_cache_does() {
            reading.put("b", "2");
            assertThat(store.rows).doesNotContainKey("b");
            writing.put("b", "2");
            assertThat(store.rows).containsEntry("b", "2");
        }

        @Test
        void evictions_and_clears_leave_the_store_alone() {
            writing.put("b", "2");
            writing.evict("b");
            writing.evictIfPresent("b");
            writing.clear();
            writing.invalidate();

            assertThat(store.rows).containsEntry("b", "2");
            assertThat(writing.get("b").get()).isEqualTo("2");
        }

        @Test
        void put_if_absent_asks_and_writes_the_store_where_the_cache_writes() {
            assertThat(reading.putIfAbsent("b", "2")).isNull();
            assertThat(store.rows).doesNotContainKey("b");
            assertThat(writing.putIfAbsent("a", "2").get()).isEqualTo("1");
            assertThat(writing.putIfAbsent("b", "2")).isNull();
            assertThat(store.rows).isEqualTo(Map.of("a", "1", "b", "2"));
        }

        @Test
        void evictions_leave_the_store_alone_where_the_cache_writes_around_it() {
            Cache around = LeveeCache.over("around", store, c -> c.writeAround(), time.environment());
            around.put("b", "2");
            assertThat(around.get("b").get()).isEqualTo("2");
            assertThat(around.evictIfPresent("b")).isTrue();
            assertThat(around.evictIfPresent("b")).isFalse();
            assertThat(store.rows).containsEntry("b", "2");
        }
    }

    @Test
    void is_named_and_gives_the_cache_that_it_stands_on() {
        assertThat(cache.getName()).isEqualTo("letters");
        assertThat(cache.getNativeCache()).isInstanceOf(dev.levee.cache.Cache.class);
        assertThatThrownBy(() -> LeveeCache.of("a\nb")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LeveeCache.of("wrong", c -> c.maxSize(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"wrong\"");
    }
}
