package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Scheduler;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatheredLoadTest {
    private final ManualTime time = new ManualTime();
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private volatile MapStore.Step step = keys -> {};

    private final BulkLoader<String, String> store = keys -> {
        String asked = String.join("", new TreeSet<>(keys));
        calls.add(asked);
        step.at(asked);
        Map<String, String> found = new LinkedHashMap<>();
        keys.forEach(key -> found.put(key, key + calls.size()));
        return found;
    };

    private final Cache<String, String> cache =
            Cache.over("letters", store, c -> c.gather(ofMillis(2), 3), time.environment());

    private FutureTask<String> get(String key) {
        FutureTask<String> task = new FutureTask<>(() -> cache.get(key));
        time.start(task);
        return task;
    }

    @Test
    void single_loads_within_the_window_are_one_call_on_the_executor() throws Exception {
        FutureTask<String> a = get("a");
        time.awaitSleepers(1);
        time.advance(ofMillis(1));
        CompletableFuture<String> b = cache.getAsync("b");
        FutureTask<String> again = get("a");
        time.awaitSleepers(2);
        time.advance(ofNanos(999_999));
        assertThat(calls).isEmpty();
        time.advance(ofNanos(1));
        time.runReady();
        assertThat(a.get(10, TimeUnit.SECONDS)).isEqualTo("a1");
        assertThat(again.get(10, TimeUnit.SECONDS)).isEqualTo("a1");
        assertThat(b).isCompletedWithValue("b1");
        assertThat(calls).containsExactly("ab");
    }

    @Test
    void a_batch_that_is_full_does_not_wait() {
        List<CompletableFuture<String>> gets = new ArrayList<>();
        for (String key : List.of("a", "b", "c", "d")) {
            gets.add(cache.getAsync(key));
        }
        time.runReady();
        assertThat(calls).containsExactly("abc");
        assertThat(gets.get(3)).isNotDone();
        assertThat(time.pendingTimers()).isEqualTo(1);
        time.advance(ofMillis(2));
        assertThat(calls).containsExactly("abc", "d");
        assertThat(gets).allSatisfy(get -> assertThat(get).isCompleted());
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_key_that_is_invalidated_and_asked_for_again_within_the_window_is_loaded_once_for_both() {
        CompletableFuture<String> before = cache.getAsync("a");
        cache.invalidate("a");
        CompletableFuture<String> after = cache.getAsync("a");
        time.advance(ofMillis(2));
        time.runReady();
        assertThat(calls).containsExactly("a");
        assertThat(before).isCompletedWithValue("a1");
        assertThat(after).isCompletedWithValue("a1");
        assertThat(cache.getIfPresent("a")).isEqualTo("a1");
    }

    @Test
    void a_key_that_is_invalidated_while_its_batch_is_read_is_not_kept() {
        step = keys -> {
            if (calls.size() == 1) {
                cache.invalidate("a");
            }
        };
        CompletableFuture<String> a = cache.getAsync("a");
        CompletableFuture<String> b = cache.getAsync("b");
        time.advance(ofMillis(2));
        time.runReady();
        assertThat(a).isCompletedWithValue("a1");
        assertThat(b).isCompletedWithValue("b1");
        assertThat(cache.getIfPresent("a")).isNull();
        assertThat(cache.getIfPresent("b")).isEqualTo("b1");
    }

    @Test
    void a_caller_whose_deadline_is_before_the_end_of_the_window_leaves_the_others_alone() throws Exception {
        Deadline deadline = Deadline.after(ofMillis(1), time.environment().clock());
        FutureTask<String> late = new FutureTask<>(
                () -> CallContext.current().withDeadline(deadline).call(() -> cache.get("a")));
        time.start(late);
        time.awaitSleepers(1);
        CompletableFuture<String> patient = cache.getAsync("a");
        time.advance(ofSeconds(1));
        time.runReady();
        assertThatThrownBy(() -> late.get(10, TimeUnit.SECONDS)).hasMessageContaining("load in time");
        assertThat(patient).isCompletedWithValue("a1");
    }

    @Test
    void a_load_that_another_load_needs_is_not_gathered_since_the_other_one_may_be_of_the_batch() {
        step = keys -> {
            if (keys.equals("a")) {
                assertThat(cache.get("b")).isEqualTo("b2");
            }
        };
        CompletableFuture<String> a = cache.getAsync("a");
        time.advance(ofMillis(2));
        time.runReady();
        assertThat(calls).containsExactly("a", "b");
        assertThat(a).isCompleted();
    }

    @Test
    void a_batch_that_needs_one_of_its_own_keys_is_told_so() {
        step = keys -> cache.get("b");
        CompletableFuture<String> a = cache.getAsync("a");
        CompletableFuture<String> b = cache.getAsync("b");
        time.advance(ofMillis(2));
        time.runReady();
        assertThatThrownBy(a::join).hasRootCauseInstanceOf(IllegalStateException.class);
        assertThatThrownBy(b::join).hasRootCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void get_all_is_not_gathered() {
        assertThat(cache.getAll(List.of("a", "b"))).hasSize(2);
        assertThat(calls).containsExactly("ab");
    }

    @Test
    void another_loader_of_a_call_is_not_gathered() {
        assertThat(cache.get("a", key -> "own")).isEqualTo("own");
        assertThat(calls).isEmpty();
    }

    @Test
    void a_closed_cache_hands_over_what_it_has_gathered() {
        CompletableFuture<String> a = cache.getAsync("a");
        cache.close();
        time.runReady();
        assertThat(a).isCompletedWithValue("a1");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_batch_that_is_handed_over_while_its_timer_is_set_leaves_no_timer() {
        AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
        Scheduler scheduler = new ForwardingScheduler(time.environment().scheduler()) {
            @Override
            public Timer schedule(Runnable task, long delayNanos) {
                Timer timer = super.schedule(task, delayNanos);
                meanwhile.getAndSet(() -> {}).run();
                return timer;
            }
        };
        Cache<String, String> slow = Cache.over(
                "letters",
                store,
                c -> c.gather(ofMillis(2), 3),
                time.environment().toBuilder().scheduler(scheduler).build());
        meanwhile.set(slow::close);
        CompletableFuture<String> a = slow.getAsync("a");
        time.runReady();
        assertThat(a).isCompletedWithValue("a1");
        assertThat(calls).containsExactly("a");
        assertThat(time.pendingTimers()).isZero();
    }

    @Nested
    class Settings {
        @Test
        void need_a_bulk_loader() {
            assertThatThrownBy(() -> Cache.over("one", (String key) -> key, c -> c.gather(ofMillis(1), 10)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("cache \"one\"")
                    .hasMessageContaining("must be a BulkLoader when loads are gathered");
        }

        @ParameterizedTest
        @ValueSource(strings = {"PT0S", "PT-1S", "PT1.000000001S"})
        void have_a_window_of_at_most_a_second(Duration window) {
            assertThatThrownBy(() -> Cache.over("many", store, c -> c.gather(window, 10)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("window");
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 0, -1})
        void have_at_least_two_keys(int keys) {
            assertThatThrownBy(() -> Cache.over("many", store, c -> c.gather(ofMillis(1), keys)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("maxKeys must be at least 2, but was " + keys);
        }
    }

    @Test
    void keys_of_the_call_are_those_that_were_asked_for() {
        List<Set<?>> asked = new ArrayList<>();
        step = keys -> asked.add(Set.of(keys));
        cache.getAsync("a");
        time.advance(ofMillis(2));
        assertThat(asked).containsExactly(Set.of("a"));
    }
}
