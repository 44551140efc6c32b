package dev.levee.cache;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Changes of a key that depend on what it has: putIfAbsent, replace, and remove of a value. */
class ConditionalChangesTest {
    private static final int THREADS = 4;

    private final ManualTime time = new ManualTime();
    private final Stop stop = new Stop();

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    /** Runs a call on several threads at a time, again and again, each time for another key. */
    private static List<List<String>> race(Call call) throws Exception {
        int rounds = LongForm.invocations(LongForm.iterations(500));
        List<List<String>> answers = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            answers.add(Collections.synchronizedList(new ArrayList<>()));
        }
        CyclicBarrier line = new CyclicBarrier(THREADS);
        List<FutureTask<Void>> all = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            String value = "v" + t;
            FutureTask<Void> one = new FutureTask<>(() -> {
                for (int round = 0; round < rounds; round++) {
                    line.await();
                    answers.get(round).add(Objects.requireNonNullElse(call.of("k" + round, value), "won " + value));
                }
                return null;
            });
            all.add(one);
            new Thread(one).start();
        }
        for (FutureTask<Void> one : all) {
            one.get(5, TimeUnit.MINUTES);
        }
        return answers;
    }

    @FunctionalInterface
    private interface Call {
        String of(String key, String value) throws Exception;
    }

    private static void oneHasWon(List<String> answers) {
        List<String> won = answers.stream().filter(it -> it.startsWith("won ")).toList();
        assertThat(won).hasSize(1);
        assertThat(answers).filteredOn(it -> !it.startsWith("won ")).allMatch(it -> ("won " + it).equals(won.get(0)));
    }

    @Nested
    class OfACacheAlone {
        private final Cache<String, String> cache = Cache.of("letters", c -> c.expiryJitter(0), time.environment());

        @Test
        void one_of_those_that_put_if_absent_wins_and_the_others_get_its_value() throws Exception {
            Cache<String, String> raced = Cache.of("raced");
            assertThat(race(raced::putIfAbsent)).allSatisfy(ConditionalChangesTest::oneHasWon);
        }

        @Test
        void those_that_replace_one_after_the_other_lose_no_step() throws Exception {
            Cache<String, Integer> counter = Cache.of("counter", c -> c.expireAfter(Deadline.FOREVER));
            counter.put("n", 0);
            race((key, value) -> {
                Integer seen = counter.getIfPresent("n");
                while (!counter.replace("n", seen, seen + 1)) {
                    seen = counter.getIfPresent("n");
                }
                return null;
            });
            assertThat(counter.getIfPresent("n")).isEqualTo(THREADS * LongForm.invocations(LongForm.iterations(500)));
        }

        @Test
        void a_value_is_set_once_and_returned_after_that() {
            assertThat(cache.putIfAbsent("a", "1")).isNull();
            assertThat(cache.putIfAbsent("a", "2")).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            cache.invalidate("a");
            assertThat(cache.putIfAbsent("a", "3")).isNull();
            cache.invalidateAll();
            assertThat(cache.putIfAbsent("a", "4")).isNull();
        }

        @Test
        void a_value_is_replaced_or_removed_if_it_is_equal_to_the_expected_one() {
            assertThat(cache.replace("a", "1", "2")).isFalse();
            cache.put("a", "1");
            assertThat(cache.replace("a", "x", "2")).isFalse();
            assertThat(cache.replace("a", new String("1"), "2")).isTrue();
            assertThat(cache.remove("a", "1")).isFalse();
            assertThat(cache.getIfPresent("a")).isEqualTo("2");
            assertThat(cache.remove("a", new String("2"))).isTrue();
            assertThat(cache.remove("a", "2")).isFalse();
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_value_that_is_not_equal_to_itself_is_the_same_all_the_same() {
            Cache<String, Double> numbers = Cache.of("numbers");
            Object odd = new Object() {
                @Override
                public boolean equals(Object other) {
                    return false;
                }

                @Override
                public int hashCode() {
                    return 0;
                }
            };
            Cache<String, Object> objects = Cache.of("objects");
            objects.put("a", odd);
            assertThat(objects.replace("a", odd, "next")).isTrue();
            numbers.put("a", Double.NaN);
            assertThat(numbers.remove("a", Double.NaN)).isTrue();
        }

        @Test
        void a_value_has_a_time_of_its_own_from_the_moment_it_is_set() {
            assertThat(cache.putIfAbsent("a", "1", ofSeconds(1))).isNull();
            assertThat(cache.putIfAbsent("a", "2", ofMinutes(1))).isEqualTo("1");
            time.advance(ofSeconds(1));
            assertThat(cache.replace("a", "1", "2", ofSeconds(1))).isFalse();
            assertThat(cache.putIfAbsent("a", "3", ofSeconds(2))).isNull();
            assertThat(cache.replace("a", "3", "4", ofSeconds(1))).isTrue();
            time.advance(ofSeconds(1));
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.putIfAbsent("a", "5", Duration.ZERO)).isNull();
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_change_between_the_look_and_the_change_makes_it_look_again() {
            AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
            Cache<String, Object> hooked = Cache.of("hooked");
            Object expected = new Object() {
                @Override
                public boolean equals(Object other) {
                    return other instanceof String;
                }

                @Override
                public int hashCode() {
                    return 0;
                }
            };
            Object held = new Object() {
                @Override
                public boolean equals(Object other) {
                    meanwhile.getAndSet(() -> {}).run();
                    return other == expected;
                }

                @Override
                public int hashCode() {
                    return 0;
                }
            };
            hooked.put("a", held);
            meanwhile.set(() -> hooked.put("a", "other"));
            assertThat(hooked.replace("a", expected, "next")).isFalse();
            assertThat(hooked.getIfPresent("a")).isEqualTo("other");
            hooked.put("a", held);
            meanwhile.set(() -> hooked.invalidate("a"));
            assertThat(hooked.remove("a", expected)).isFalse();
            hooked.put("a", held);
            meanwhile.set(hooked::invalidateAll);
            assertThat(hooked.replace("a", expected, "next")).isFalse();
            assertThat(hooked.getIfPresent("a")).isNull();
        }

        @Test
        void what_had_a_tag_that_was_invalidated_is_absent() {
            Cache<String, String> tagged = Cache.of("tagged", c -> c.tags((key, value) -> List.of("t")));
            tagged.put("a", "1");
            tagged.invalidateTag("t");
            assertThat(tagged.replace("a", "1", "2")).isFalse();
            assertThat(tagged.putIfAbsent("a", "3")).isNull();
            assertThat(tagged.getIfPresent("a")).isEqualTo("3");
            tagged.invalidateTag("t");
            assertThat(tagged.getIfPresent("a")).isNull();
        }

        @Test
        void bad_arguments_and_a_closed_cache_are_errors() {
            assertThatThrownBy(() -> cache.putIfAbsent(null, "1")).hasMessageContaining("key");
            assertThatThrownBy(() -> cache.putIfAbsent("a", null)).hasMessageContaining("value");
            assertThatThrownBy(() -> cache.putIfAbsent("a", "1", null)).hasMessageContaining("expireAfter");
            assertThatThrownBy(() -> cache.replace("a", null, "1")).hasMessageContaining("expected");
            assertThatThrownBy(() -> cache.replace("a", "1", null)).hasMessageContaining("value");
            cache.close();
            assertThatThrownBy(() -> cache.putIfAbsent("a", "1"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed");
            assertThatThrownBy(() -> cache.remove("a", "1")).hasMessageContaining("closed");
        }
    }

    @Nested
    class BesideLoads {
        private final MapStore store = MapStore.of("a", "row");
        private final Cache<String, String> cache = Cache.over(
                "beside",
                store,
                c -> c.expiryJitter(0)
                        .expireAfter(ofMinutes(1))
                        .staleWhileRevalidate(ofMinutes(1))
                        .staleIfError(ofMinutes(3))
                        .expireAbsentAfter(ofMinutes(1))
                        .expireFailuresAfter(ofMinutes(1)),
                time.environment());

        @Test
        void a_load_that_runs_is_not_waited_for_and_what_it_brings_is_not_cached() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> load = start(() -> cache.get("a"));
            stop.awaitReached();
            assertThat(cache.putIfAbsent("a", "put")).isNull();
            stop.release();
            assertThat(result(load)).isEqualTo("row");
            assertThat(cache.getIfPresent("a")).isEqualTo("put");
        }

        @Test
        void what_is_removed_because_it_is_absent_does_not_come_by_a_load_that_runs() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> load = start(() -> cache.get("a"));
            stop.awaitReached();
            assertThat(cache.remove("a", null)).isTrue();
            stop.release();
            assertThat(result(load)).isEqualTo("row");
            assertThat(cache.getIfPresent("a")).isNull();
            cache.put("a", "put");
            assertThat(cache.remove("a", null)).isFalse();
            assertThat(cache.getIfPresent("a")).isEqualTo("put");
        }

        @Test
        void a_value_that_is_replaced_or_removed_during_its_refresh_does_not_come_back() throws Exception {
            cache.put("a", "old");
            store.after = operation -> stop.pass();
            Cache<String, String> threads = cache;
            FutureTask<Boolean> refresh = start(() -> threads.refresh("a"));
            assertThat(result(refresh)).isTrue();
            FutureTask<Void> runs = start(() -> {
                time.runReady();
                return null;
            });
            stop.awaitReached();
            assertThat(cache.remove("a", "old")).isTrue();
            stop.release();
            result(runs);
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_call_that_changes_nothing_lets_a_load_be_cached() throws Exception {
            cache.put("a", "old");
            store.after = operation -> stop.pass();
            assertThat(cache.refresh("a")).isTrue();
            FutureTask<Void> runs = start(() -> {
                time.runReady();
                return null;
            });
            stop.awaitReached();
            assertThat(cache.putIfAbsent("a", "put")).isEqualTo("old");
            assertThat(cache.replace("a", "x", "put")).isFalse();
            stop.release();
            result(runs);
            assertThat(cache.getIfPresent("a")).isEqualTo("row");
        }

        @Test
        void what_is_absent_has_failed_or_serves_for_failures_only_is_no_value_and_what_is_stale_is_one() {
            assertThat(cache.get("b")).isNull();
            assertThat(cache.putIfAbsent("b", "put")).isNull();
            store.before = operation -> {
                throw new IOException("disk");
            };
            assertThatThrownBy(() -> cache.get("c")).isInstanceOf(StoreException.class);
            assertThat(cache.putIfAbsent("c", "put")).isNull();
            assertThat(cache.getIfPresent("c")).isEqualTo("put");
            time.advance(ofSeconds(90));
            assertThat(cache.putIfAbsent("c", "new")).isEqualTo("put");
            time.advance(ofSeconds(60));
            assertThat(cache.putIfAbsent("c", "new")).isNull();
        }

        @Test
        void the_store_is_neither_asked_nor_written() {
            assertThat(cache.putIfAbsent("a", "put")).isNull();
            assertThat(cache.remove("a", "put")).isTrue();
            assertThat(store.log).isEmpty();
        }
    }

    @Nested
    class WithWriteThrough {
        private final MapStore store = MapStore.of("a", "row");
        private final Cache<String, String> cache =
                Cache.over("through", store, c -> c.writeThrough(), time.environment());

        @Test
        void the_store_is_asked_if_the_cache_has_nothing_and_what_it_has_is_cached() {
            assertThat(cache.putIfAbsent("a", "put")).isEqualTo("row");
            assertThat(cache.getIfPresent("a")).isEqualTo("row");
            assertThat(cache.putIfAbsent("a", "put")).isEqualTo("row");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void what_neither_has_is_saved_and_cached() {
            assertThat(cache.putIfAbsent("b", "put")).isNull();
            assertThat(store.rows).containsEntry("b", "put");
            assertThat(cache.getIfPresent("b")).isEqualTo("put");
            assertThat(store.log).containsExactly("load b", "save b put");
        }

        @Test
        void one_of_those_that_put_if_absent_wins_in_the_store_too() throws Exception {
            MapStore rows = new MapStore();
            Cache<String, String> raced = Cache.over("raced", rows, c -> c.writeThrough());
            assertThat(race(raced::putIfAbsent)).allSatisfy(ConditionalChangesTest::oneHasWon);
            assertThat(rows.log).filteredOn(it -> it.startsWith("save ")).hasSameSizeAs(rows.rows.keySet());
        }

        @Test
        void a_second_caller_waits_for_its_turn_and_gets_the_value_of_the_first() throws Exception {
            store.before = operation -> {
                if (operation.startsWith("save")) {
                    stop.pass();
                }
            };
            FutureTask<String> first = start(() -> cache.putIfAbsent("b", "1"));
            stop.awaitReached();
            FutureTask<String> second = start(() -> cache.putIfAbsent("b", "2"));
            time.awaitSleepers(1);
            stop.release();
            assertThat(result(first)).isNull();
            assertThat(result(second)).isEqualTo("1");
            assertThat(store.log).containsExactly("load b", "save b 1");
        }

        @Test
        void a_deadline_that_passes_before_the_turn_writes_nothing() throws Exception {
            store.before = operation -> stop.pass();
            FutureTask<String> first = start(() -> cache.putIfAbsent("b", "1"));
            stop.awaitReached();
            Deadline deadline = Deadline.after(ofSeconds(1), time.environment().clock());
            Throwable late = catchThrowable(
                    () -> CallContext.current().withDeadline(deadline).run(() -> {
                        time.autoAdvance();
                        cache.putIfAbsent("b", "2");
                    }));
            assertThat(late)
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isFalse());
            stop.release();
            assertThat(result(first)).isNull();
            assertThat(store.rows).containsEntry("b", "1");
        }

        @Test
        void a_store_that_cannot_be_read_is_not_written() {
            store.before = operation -> {
                throw new IOException("disk");
            };
            assertThatThrownBy(() -> cache.putIfAbsent("b", "put"))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isFalse())
                    .hasMessageContaining("could not load");
            assertThat(store.log).containsExactly("load b");
            store.before = operation -> {};
            assertThat(cache.putIfAbsent("b", "put")).isNull(); // the turn was given back
        }

        @Test
        void a_write_that_fails_is_as_that_of_a_put() {
            assertThat(cache.get("a")).isEqualTo("row");
            store.before = operation -> {
                throw new ConnectException("refused");
            };
            assertThatThrownBy(() -> cache.replace("a", "row", "new"))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isFalse());
            assertThat(cache.getIfPresent("a")).isEqualTo("row");
            store.before = operation -> {
                throw new IOException("reset");
            };
            assertThatThrownBy(() -> cache.replace("a", "row", "new"))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isTrue());
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void an_invalidation_while_the_store_is_asked_keeps_what_it_had_out_of_the_cache() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> put = start(() -> cache.putIfAbsent("a", "put"));
            stop.awaitReached();
            cache.invalidate("a");
            stop.release();
            assertThat(result(put)).isEqualTo("row");
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void an_invalidation_of_all_while_the_store_is_asked_does_so_too() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> put = start(() -> cache.putIfAbsent("a", "put"));
            stop.awaitReached();
            cache.invalidateAll();
            stop.release();
            assertThat(result(put)).isEqualTo("row");
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void an_invalidation_of_its_tag_while_the_store_is_asked_does_so_too() throws Exception {
            Cache<String, String> tagged = Cache.over(
                    "tagged", store, c -> c.writeThrough().tags((key, value) -> List.of(value)), time.environment());
            store.after = operation -> stop.pass();
            FutureTask<String> put = start(() -> tagged.putIfAbsent("a", "put"));
            stop.awaitReached();
            tagged.invalidateTag("row");
            stop.release();
            assertThat(result(put)).isEqualTo("row");
            assertThat(tagged.getIfPresent("a")).isNull();
        }

        @Test
        void an_invalidation_during_the_save_keeps_the_value_out_of_the_cache() throws Exception {
            store.after = operation -> {
                if (operation.startsWith("save")) {
                    stop.pass();
                }
            };
            FutureTask<String> put = start(() -> cache.putIfAbsent("b", "put"));
            stop.awaitReached();
            cache.invalidate("b");
            stop.release();
            assertThat(result(put)).isNull();
            assertThat(cache.getIfPresent("b")).isNull();
        }

        @Test
        void what_the_store_has_is_compared_and_nothing_is_written_if_it_is_another_one() {
            assertThat(cache.replace("a", "x", "new")).isFalse();
            assertThat(cache.remove("a", "x")).isFalse();
            cache.invalidate("a");
            assertThat(cache.replace("a", "row", "new")).isTrue();
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
            assertThat(cache.remove("a", "new")).isTrue();
            assertThat(store.rows).doesNotContainKey("a");
            assertThat(store.log).containsExactly("load a", "load a", "save a new", "delete a");
        }

        @Test
        void an_absence_that_is_remembered_is_no_answer() {
            Cache<String, String> absent = Cache.over(
                    "absent", store, c -> c.writeThrough().expireAbsentAfter(ofMinutes(1)), time.environment());
            assertThat(absent.get("b")).isNull();
            store.rows.put("b", "by another");
            assertThat(absent.putIfAbsent("b", "put")).isEqualTo("by another");
        }

        @Test
        void a_store_that_writes_the_key_within_its_read_does_not_wait_for_itself() {
            AtomicInteger depth = new AtomicInteger();
            store.before = operation -> {
                if (operation.equals("load b") && depth.getAndIncrement() == 0) {
                    cache.put("b", "inner");
                }
            };
            assertThat(cache.putIfAbsent("b", "outer")).isEqualTo("inner");
            assertThat(cache.get("b")).isEqualTo("inner");
        }

        @Test
        void write_around_saves_and_caches_nothing_but_what_it_has_read() {
            Cache<String, String> around = Cache.over("around", store, c -> c.writeAround(), time.environment());
            assertThat(around.putIfAbsent("b", "put")).isNull();
            assertThat(around.getIfPresent("b")).isNull();
            assertThat(around.putIfAbsent("b", "other")).isEqualTo("put");
            assertThat(around.getIfPresent("b")).isEqualTo("put");
            assertThat(around.replace("b", "put", "new")).isTrue();
            assertThat(around.getIfPresent("b")).isNull();
        }

        @Test
        void a_comparison_that_throws_gives_the_turn_back() {
            Object broken = new Object() {
                @Override
                public boolean equals(Object other) {
                    throw new IllegalStateException("broken");
                }

                @Override
                public int hashCode() {
                    return 0;
                }
            };
            Store<String, Object> objects = new Store<>() {
                @Override
                public Object load(String key) {
                    return broken;
                }

                @Override
                public void save(String key, Object value) {}

                @Override
                public void delete(String key) {}
            };
            Cache<String, Object> through = Cache.over("broken", objects, c -> c.writeThrough());
            assertThatThrownBy(() -> through.replace("a", "x", "y")).hasMessage("broken");
            assertThat(through.replace("a", broken, "y")).isTrue();
        }
    }
}
