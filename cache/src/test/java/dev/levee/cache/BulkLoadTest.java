package dev.levee.cache;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Readings;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BulkLoadTest {
    private final ManualTime time = new ManualTime();
    private final Map<String, String> rows = new ConcurrentHashMap<>(Map.of("a", "1", "b", "2", "c", "3", "d", "4"));
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final Stop stop = new Stop();

    /** What the store does before it answers, and after it has read. */
    private volatile MapStore.Step before = keys -> {};

    private volatile MapStore.Step after = keys -> {};

    private final BulkLoader<String, String> store = new BulkLoader<>() {
        @Override
        public Map<String, String> loadAll(Set<String> keys) throws Exception {
            return read("all " + String.join("", keys), keys);
        }

        @Override
        public String load(String key) throws Exception {
            return read("one " + key, Set.of(key)).get(key);
        }
    };

    private final Cache<String, String> cache = Cache.over("letters", store, c -> {}, time.environment());

    private Map<String, String> read(String operation, Set<String> keys) throws Exception {
        log.add(operation);
        before.at(operation);
        Map<String, String> found = new HashMap<>(rows);
        found.keySet().retainAll(keys);
        after.at(operation);
        return found;
    }

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

    private static List<String> keys(String... keys) {
        return List.of(keys);
    }

    @Nested
    class Asks {
        @Test
        void one_call_for_all_keys() {
            assertThat(cache.getAll(keys("a", "b", "c"))).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
            assertThat(log).containsExactly("all abc");
        }

        @Test
        void only_for_what_is_not_cached() {
            cache.get("b");
            cache.put("c", "three");
            assertThat(cache.getAll(keys("a", "b", "c", "d")))
                    .isEqualTo(Map.of("a", "1", "b", "2", "c", "three", "d", "4"));
            assertThat(log).containsExactly("one b", "all ad");
        }

        @Test
        void nothing_for_no_keys_and_for_keys_that_are_cached() {
            cache.getAll(keys("a", "b"));
            assertThat(cache.getAll(keys())).isEmpty();
            assertThat(cache.getAll(keys("b", "a"))).isEqualTo(Map.of("a", "1", "b", "2"));
            assertThat(log).containsExactly("all ab");
        }

        @Test
        void once_for_a_key_that_is_given_twice() {
            assertThat(cache.getAll(keys("a", "b", "a"))).containsExactly(Map.entry("a", "1"), Map.entry("b", "2"));
            assertThat(log).containsExactly("all ab");
        }

        @Test
        void with_keys_that_cannot_be_changed_and_gives_values_that_cannot_be_changed() {
            Map<String, String> values = cache.getAll(keys("a"), asked -> {
                assertThatThrownBy(() -> asked.clear()).isInstanceOf(UnsupportedOperationException.class);
                return Map.of("a", "1");
            });
            assertThatThrownBy(values::clear).isInstanceOf(UnsupportedOperationException.class);
        }

        @Test
        void one_key_after_the_other_where_the_loader_takes_one() {
            MapStore single = MapStore.of("a", "1", "b", "2");
            Cache<String, String> ones = Cache.over("ones", single);
            ones.get("a");
            assertThat(ones.getAll(keys("b", "a", "c"))).containsExactly(Map.entry("b", "2"), Map.entry("a", "1"));
            assertThat(single.log).containsExactly("load a", "load b", "load c");
        }

        @Test
        void the_loader_of_the_call_where_there_is_one() {
            Cache<String, String> bare = Cache.of("bare");
            assertThat(bare.getAll(keys("a"), store)).isEqualTo(Map.of("a", "1"));
            assertThatThrownBy(() -> bare.getAll(keys("b")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("cache \"bare\" has no store");
        }

        @Test
        void for_the_order_of_the_keys() {
            cache.get("c");
            assertThat(cache.getAll(keys("d", "c", "a")).keySet()).containsExactly("d", "c", "a");
        }
    }

    @Nested
    class BadInput {
        @Test
        void a_null_key_is_named_by_its_place() {
            assertThatThrownBy(() -> cache.getAll(Arrays.asList("a", null)))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("cache \"letters\": keys[1] must not be null");
            assertThat(log).isEmpty();
        }

        @Test
        void null_keys_are_named() {
            assertThatThrownBy(() -> cache.getAll(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("keys");
        }
    }

    @Nested
    class AnAnswer {
        @Test
        void with_fewer_keys_says_that_the_others_are_absent() {
            assertThat(cache.getAll(keys("a", "x"))).isEqualTo(Map.of("a", "1"));
            cache.getAll(keys("a", "x"));
            assertThat(log).containsExactly("all ax", "all x"); // absent is not cached unless it is set
        }

        @Test
        void with_other_keys_keeps_only_those_that_were_asked_for() {
            assertThat(cache.getAll(keys("a"), asked -> Map.of("a", "1", "b", "of another")))
                    .isEqualTo(Map.of("a", "1"));
            assertThat(cache.getIfPresent("b")).isNull();
        }

        @Test
        void with_a_null_value_says_that_it_is_absent() {
            Map<String, String> holes = new HashMap<>();
            holes.put("a", null);
            holes.put(null, "1");
            assertThat(cache.getAll(keys("a"), asked -> holes)).isEmpty();
        }

        @Test
        void that_is_null_is_a_failure() {
            assertThatThrownBy(() -> cache.getAll(keys("a", "b"), asked -> null))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("the loader of cache \"letters\" returned null instead of a map");
            nothing_is_in_flight();
        }

        @Test
        void whose_map_throws_is_a_failure() {
            Map<String, String> hostile = new HashMap<>() {
                @Override
                public String get(Object key) {
                    throw new UnsupportedOperationException("get");
                }
            };
            assertThatThrownBy(() -> cache.getAll(keys("a", "b"), asked -> hostile))
                    .isInstanceOf(StoreException.class)
                    .hasCauseInstanceOf(UnsupportedOperationException.class);
            nothing_is_in_flight();
        }
    }

    @Nested
    class AFailure {
        @Test
        void of_the_whole_call_is_thrown_as_get_throws_it() {
            IOException disk = new IOException("disk");
            before = keys -> {
                throw disk;
            };
            assertThatThrownBy(() -> cache.getAll(keys("a", "b")))
                    .isInstanceOf(StoreException.class)
                    .hasCause(disk);
            nothing_is_in_flight();
        }

        @Test
        void of_a_policy_comes_through() {
            Bulkhead full = Bulkhead.of("full", 1);
            before = keys -> full.call(() -> full.call(() -> keys));
            assertThat(catchThrowable(() -> cache.getAll(keys("a", "b"))))
                    .isInstanceOf(dev.levee.core.RefusedException.class);
        }

        @Test
        void that_is_an_error_comes_through_and_nothing_stays_in_flight() {
            AssertionError broken = new AssertionError("broken");
            before = keys -> {
                throw broken;
            };
            assertThatThrownBy(() -> cache.getAll(keys("a", "b"))).isSameAs(broken);
            nothing_is_in_flight();
        }

        @Test
        void leaves_the_values_that_were_there() {
            cache.get("a");
            before = keys -> {
                throw new IOException("disk");
            };
            PartialLoadException partial = partial(keys("a", "b", "c"));
            assertThat(partial.<String, String>values()).isEqualTo(Map.of("a", "1"));
            assertThat(partial.<String>failures().keySet()).containsExactly("b", "c");
            assertThat(partial).hasMessage("cache \"letters\": 2 of 3 keys could not be loaded");
            assertThat(partial.failures().values())
                    .doesNotHaveDuplicates()
                    .allSatisfy(each -> assertThat(each).isInstanceOf(StoreException.class));
        }

        @Test
        void of_a_part_is_that_of_its_keys_alone() {
            IOException disk = new IOException("disk");
            BulkLoader<String, String> torn = asked -> {
                throw new PartialLoadException(Map.of("a", "1", "z", "not asked for"), Map.of("b", disk));
            };
            Throwable thrown = catchThrowable(() -> cache.getAll(keys("a", "b", "c"), torn));
            PartialLoadException partial = (PartialLoadException) thrown;
            assertThat(partial.<String, String>values()).isEqualTo(Map.of("a", "1"));
            assertThat(partial.<String>failures()).containsOnlyKeys("b");
            assertThat(partial.failures().get("b"))
                    .isInstanceOf(StoreException.class)
                    .hasCause(disk);
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            assertThat(cache.getIfPresent("z")).isNull();
            nothing_is_in_flight();
        }

        @Test
        void of_a_part_is_that_of_its_keys_alone_where_one_key_is_loaded_too() {
            IOException disk = new IOException("disk");
            BulkLoader<String, String> torn = asked -> {
                throw new PartialLoadException(Map.of("a", "1"), Map.of("b", disk));
            };
            assertThat(cache.get("a", torn)).isEqualTo("1");
            assertThatThrownBy(() -> cache.get("b", torn))
                    .isInstanceOf(StoreException.class)
                    .hasCause(disk);
            assertThat(cache.get("c", torn)).isNull();
        }

        private PartialLoadException partial(List<String> keys) {
            return (PartialLoadException) catchThrowable(() -> cache.getAll(keys));
        }
    }

    @Nested
    class WithOthers {
        @Test
        void a_load_that_runs_is_joined_and_only_the_rest_is_asked_for() throws Exception {
            before = operation -> {
                if (operation.equals("one b")) {
                    stop.pass();
                }
            };
            FutureTask<String> single = start(() -> cache.get("b"));
            stop.awaitReached();
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(keys("a", "b", "c")));
            time.awaitSleepers(1);
            assertThat(cache.getIfPresent("a")).isEqualTo("1"); // it does not wait before it loads
            stop.release();
            assertThat(result(bulk)).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
            assertThat(result(single)).isEqualTo("2");
            assertThat(log).containsExactly("one b", "all ac");
        }

        @Test
        void a_get_joins_a_bulk_load() throws Exception {
            before = operation -> stop.pass();
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(keys("a", "b")));
            stop.awaitReached();
            FutureTask<String> single = start(() -> cache.get("b"));
            time.awaitSleepers(1);
            stop.release();
            assertThat(result(single)).isEqualTo("2");
            assertThat(result(bulk)).hasSize(2);
            assertThat(log).containsExactly("all ab");
        }

        @Test
        void two_bulk_loads_that_have_a_key_of_each_other_both_end() throws Exception {
            Stop second = new Stop();
            before = operation -> {
                if (operation.equals("all ab")) {
                    stop.pass();
                } else {
                    second.pass();
                }
            };
            FutureTask<Map<String, String>> one = start(() -> cache.getAll(keys("a", "b")));
            stop.awaitReached();
            FutureTask<Map<String, String>> two = start(() -> cache.getAll(keys("b", "c", "a")));
            second.awaitReached();
            FutureTask<Map<String, String>> three = start(() -> cache.getAll(keys("a", "c")));
            time.awaitSleepers(1);
            second.release();
            stop.release();
            assertThat(result(one)).isEqualTo(Map.of("a", "1", "b", "2"));
            assertThat(result(two)).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
            assertThat(result(three)).isEqualTo(Map.of("a", "1", "c", "3"));
            assertThat(log).containsExactly("all ab", "all c");
        }

        @Test
        void what_is_invalidated_during_the_call_is_not_kept_and_the_rest_is() throws Exception {
            after = operation -> stop.pass();
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(keys("a", "b", "c")));
            stop.awaitReached();
            rows.put("a", "new");
            cache.invalidate("a");
            cache.put("b", "put");
            assertThat(cache.get("a")).isEqualTo("new"); // does not join the old load
            stop.release();
            assertThat(result(bulk)).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
            assertThat(cache.getIfPresent("b")).isEqualTo("put");
            assertThat(cache.getIfPresent("c")).isEqualTo("3");
        }

        @Test
        void nothing_is_kept_when_all_is_invalidated_during_the_call() throws Exception {
            after = operation -> stop.pass();
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(keys("a", "b")));
            stop.awaitReached();
            cache.invalidateAll();
            stop.release();
            result(bulk);
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.getIfPresent("b")).isNull();
        }

        @Test
        void a_failure_is_shared_by_those_that_wait() throws Exception {
            before = operation -> {
                stop.pass();
                throw new IOException("disk");
            };
            FutureTask<Map<String, String>> bulk = start(() -> cache.getAll(keys("a", "b")));
            stop.awaitReached();
            FutureTask<String> single = start(() -> cache.get("b"));
            time.awaitSleepers(1);
            stop.release();
            assertThat(failure(single)).isInstanceOf(StoreException.class).hasRootCauseMessage("disk");
            assertThat(failure(bulk)).isInstanceOf(StoreException.class).hasRootCauseMessage("disk");
            assertThat(log).containsExactly("all ab");
        }

        @Test
        void an_interrupt_of_the_call_that_loads_makes_one_of_the_others_load_again() throws Exception {
            before = operation -> stop.pass();
            FutureTask<Map<String, String>> bulk = new FutureTask<>(() -> cache.getAll(keys("a", "b")));
            Thread loads = time.start(bulk);
            stop.awaitReached();
            FutureTask<String> single = start(() -> cache.get("b"));
            time.awaitSleepers(1);
            loads.interrupt();
            assertThat(result(single)).isEqualTo("2");
            assertThat(failure(bulk)).hasRootCauseInstanceOf(InterruptedException.class);
            assertThat(log).containsExactly("all ab", "one b");
        }

        @Test
        void an_interrupt_or_a_deadline_of_a_call_that_waits_ends_the_wait_alone() throws Exception {
            before = operation -> stop.pass();
            FutureTask<String> single = start(() -> cache.get("b"));
            stop.awaitReached();
            FutureTask<Map<String, String>> interrupted = new FutureTask<>(() -> cache.getAll(keys("a", "b")));
            Thread waits = time.start(interrupted);
            Deadline deadline = Deadline.after(ofSeconds(1), time.environment().clock());
            FutureTask<Map<String, String>> late =
                    start(() -> CallContext.current().withDeadline(deadline).call(() -> cache.getAll(keys("a", "b"))));
            time.awaitSleepers(2);
            waits.interrupt();
            assertThat(failure(interrupted)).isInstanceOf(InterruptedWaitException.class);
            time.advance(ofSeconds(1));
            assertThat(failure(late)).isInstanceOf(StoreException.class).hasMessageContaining("load in time");
            stop.release();
            assertThat(result(single)).isEqualTo("2");
            assertThat(cache.getIfPresent("b")).isEqualTo("2");
        }
    }

    @Nested
    class Recursion {
        @Test
        void a_bulk_load_that_asks_for_its_own_key_is_told_so() {
            Cache<String, String> self = Cache.of("self");
            BulkLoader<String, String> loader = new BulkLoader<>() {
                @Override
                public Map<String, String> loadAll(Set<String> keys) {
                    return Map.of("a", String.valueOf(self.get("b", this)));
                }
            };
            assertThatThrownBy(() -> self.getAll(keys("a", "b"), loader))
                    .isInstanceOf(StoreException.class)
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("cache \"self\" cannot load key b")
                    .hasMessageContaining("self[[a, b]] -> self[[a, b]]");
        }

        @Test
        void two_bulk_loads_that_need_each_other_are_told_so() throws Exception {
            Cache<String, String> self = Cache.of("self", c -> {}, time.environment());
            Stop first = new Stop();
            BulkLoader<String, String> needsC = keys -> {
                first.pass();
                return Map.of("a", String.valueOf(self.get("c", k -> k)));
            };
            BulkLoader<String, String> needsA = keys -> Map.of("c", String.valueOf(self.get("a", k -> k)));
            FutureTask<Map<String, String>> one = start(() -> self.getAll(keys("a", "b"), needsC));
            first.awaitReached();
            FutureTask<Map<String, String>> two = start(() -> self.getAll(keys("c", "d"), needsA));
            time.awaitSleepers(1);
            first.release();
            assertThat(failure(one)).hasRootCauseInstanceOf(IllegalStateException.class);
            assertThat(failure(two)).hasRootCauseInstanceOf(IllegalStateException.class);
        }

        @Test
        void a_bulk_load_may_use_other_keys() {
            BulkLoader<String, String> sum = asked -> Map.of("sum", cache.get("a") + cache.getAll(keys("b", "c")));
            assertThat(cache.getAll(keys("sum"), sum)).isEqualTo(Map.of("sum", "1{b=2, c=3}"));
        }
    }

    private void nothing_is_in_flight() {
        assertThat(Readings.of(cache, "cache.loading")).isZero();
        before = keys -> {};
        assertThat(cache.getAll(keys("a", "b"))).hasSize(2);
    }
}
