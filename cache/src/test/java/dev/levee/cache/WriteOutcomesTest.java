package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a write leaves in the cache, and what its caller gets. */
class WriteOutcomesTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "old");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> c.writeThrough(), time.environment());
    private final Stop stop = new Stop();

    private FutureTask<Void> start(Callable<Void> call) {
        FutureTask<Void> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private Callable<Void> put(String key, String value) {
        return () -> {
            cache.put(key, value);
            return null;
        };
    }

    private static Throwable failure(FutureTask<?> task) {
        return catchThrowable(() -> task.get(10, TimeUnit.SECONDS)).getCause();
    }

    /** A put that is in the store at the moment. */
    private FutureTask<Void> held(String value) throws Exception {
        store.before = operation -> {
            if (operation.equals("save a " + value)) {
                stop.pass();
            }
        };
        FutureTask<Void> put = start(put("a", value));
        stop.awaitReached();
        return put;
    }

    @Nested
    class OfAStoreThatFails {
        private void fails(Throwable failure) {
            cache.get("a");
            store.before = operation -> {
                if (failure instanceof Error error) {
                    throw error;
                }
                throw (Exception) failure;
            };
        }

        @Test
        void what_was_surely_not_sent_leaves_the_cache_as_it_was_and_says_so() {
            fails(new ConnectException("refused"));
            assertThat(catchThrowable(() -> cache.put("a", "new")))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isFalse());
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
            assertThat(catchThrowable(() -> cache.remove("a"))).isInstanceOf(StoreException.class);
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
        }

        @Test
        void what_is_not_known_drops_the_value_and_says_so() {
            fails(new IOException("reset"));
            assertThat(catchThrowable(() -> cache.put("a", "new")))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isTrue());
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void an_interrupt_is_not_known_either() {
            fails(new InterruptedException());
            assertThat(catchThrowable(() -> cache.put("a", "new")))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isTrue());
            assertThat(Thread.interrupted()).isTrue();
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_refusal_leaves_the_cache_as_it_was_unless_an_earlier_attempt_may_have_run() throws Exception {
            cache.get("a");
            Bulkhead full = Bulkhead.of("full", 1, time.environment());
            RefusedException[] refusal = new RefusedException[1];
            full.call(() -> {
                refusal[0] = (RefusedException) catchThrowable(() -> full.call(() -> 1));
                return 1;
            });
            fails(refusal[0]);
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isSameAs(refusal[0]);
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
            fails(refusal[0].detachedAfterRun());
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isInstanceOf(RefusedException.class);
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void a_retry_that_ends_with_a_connection_refused_after_an_attempt_that_ran_is_not_known() {
            Retry retry =
                    Retry.of("twice", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)), time.environment());
            Cache<String, String> guarded =
                    Cache.over("guarded", store.guardedBy(retry), c -> c.writeThrough(), time.environment());
            guarded.get("a");
            int[] calls = new int[1];
            store.before = operation -> {
                throw calls[0]++ == 0 ? new IOException("reset") : new ConnectException("refused");
            };
            assertThat(catchThrowable(() -> guarded.put("a", "new")))
                    .isInstanceOfSatisfying(
                            StoreException.class,
                            it -> assertThat(it.mayHaveWritten()).isTrue());
            assertThat(calls[0]).isEqualTo(2);
            assertThat(guarded.getIfPresent("a")).isNull();
        }

        @Test
        void a_load_keeps_its_right_if_nothing_was_written() throws Exception {
            store.after = operation -> {
                if (operation.equals("load a")) {
                    stop.pass();
                }
            };
            FutureTask<Void> load = start(() -> {
                cache.get("a");
                return null;
            });
            stop.awaitReached();
            store.before = operation -> {
                throw new ConnectException("refused");
            };
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isInstanceOf(StoreException.class);
            stop.release();
            load.get(10, TimeUnit.SECONDS);
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
        }
    }

    @Nested
    class OfACacheThatFails {
        @Test
        void a_value_that_cannot_be_kept_is_dropped_and_the_write_succeeds() {
            Cache<String, String> broken = Cache.over(
                    "broken",
                    store,
                    c -> c.writeThrough().expireAfter((key, value) -> {
                        if (value.equals("new")) {
                            throw new IllegalStateException("no time");
                        }
                        return Duration.ofMinutes(1);
                    }),
                    time.environment());
            broken.get("a");
            broken.put("a", "new");
            assertThat(store.rows).containsEntry("a", "new");
            assertThat(broken.getIfPresent("a")).isNull();
        }
    }

    @Nested
    class InTurn {
        @Test
        void a_wait_ends_at_the_deadline_and_nothing_was_written() throws Exception {
            cache.get("a");
            FutureTask<Void> first = held("first");
            Deadline deadline =
                    Deadline.after(Duration.ofSeconds(1), time.environment().clock());
            FutureTask<Void> second =
                    start(() -> CallContext.current().withDeadline(deadline).call(put("a", "second")::call));
            time.awaitSleepers(1);
            time.advance(Duration.ofSeconds(1));
            assertThat(failure(second)).isInstanceOfSatisfying(StoreException.class, it -> {
                assertThat(it.mayHaveWritten()).isFalse();
                assertThat(it).hasMessageContaining("cache \"letters\" could not write in time");
            });
            stop.release();
            first.get(10, TimeUnit.SECONDS);
            assertThat(cache.getIfPresent("a")).isEqualTo("first");
        }

        @Test
        void an_interrupt_ends_a_wait_and_those_behind_still_have_their_turn() throws Exception {
            FutureTask<Void> first = held("first");
            Thread[] thread = new Thread[1];
            FutureTask<Void> second = start(() -> {
                thread[0] = Thread.currentThread();
                return put("a", "second").call();
            });
            time.awaitSleepers(1);
            FutureTask<Void> third = start(put("a", "third"));
            time.awaitSleepers(2);
            thread[0].interrupt();
            assertThat(failure(second)).isInstanceOf(InterruptedWaitException.class);
            assertThat(third).isNotDone();
            stop.release();
            first.get(10, TimeUnit.SECONDS);
            time.runReady();
            third.get(10, TimeUnit.SECONDS);
            assertThat(store.log).containsExactly("save a first", "save a third");
            assertThat(cache.getIfPresent("a")).isEqualTo("third");
        }

        @Test
        void other_keys_do_not_wait() throws Exception {
            FutureTask<Void> first = held("first");
            cache.put("b", "1");
            stop.release();
            first.get(10, TimeUnit.SECONDS);
        }

        @Test
        void a_store_that_writes_its_own_key_within_a_write_does_not_wait_for_itself() {
            store.before = operation -> {
                if (operation.equals("save a outer")) {
                    cache.put("a", "inner");
                }
            };
            cache.put("a", "outer");
            assertThat(store.rows).containsEntry("a", "outer");
            assertThat(cache.get("a")).isEqualTo("outer");
            cache.put("a", "later");
            assertThat(cache.getIfPresent("a")).isEqualTo("later");
        }

        @Test
        void writes_that_wait_for_each_other_are_found() throws Exception {
            Stop other = new Stop();
            store.before = operation -> {
                if (operation.equals("save a 1")) {
                    stop.pass();
                    cache.put("b", "within a");
                } else if (operation.equals("save b 1")) {
                    other.pass();
                    cache.put("a", "within b");
                }
            };
            FutureTask<Void> first = start(put("a", "1"));
            FutureTask<Void> second = start(put("b", "1"));
            stop.awaitReached();
            other.awaitReached();
            stop.release();
            time.awaitSleepers(1);
            other.release();
            time.runReady();
            assertThat(failure(second))
                    .isInstanceOf(StoreException.class)
                    .hasRootCauseInstanceOf(IllegalStateException.class);
            first.get(10, TimeUnit.SECONDS);
        }
    }

    @Nested
    class Around {
        private final Cache<String, String> around =
                Cache.over("letters", store, c -> c.writeAround(), time.environment());

        @Test
        void a_write_goes_to_the_store_and_drops_the_value() {
            around.get("a");
            around.put("a", "new");
            assertThat(store.rows).containsEntry("a", "new");
            assertThat(around.getIfPresent("a")).isNull();
            assertThat(around.get("a")).isEqualTo("new");
            around.remove("a");
            assertThat(store.rows).isEmpty();
            assertThat(around.get("a")).isNull();
            assertThat(around.toString()).contains("write-around");
        }

        @Test
        void a_write_that_was_surely_not_sent_keeps_it() {
            around.get("a");
            store.before = operation -> {
                throw new ConnectException("refused");
            };
            assertThat(catchThrowable(() -> around.put("a", "new"))).isInstanceOf(StoreException.class);
            assertThat(around.getIfPresent("a")).isEqualTo("old");
        }

        @Test
        void needs_a_store() {
            Loader<String, String> loader = key -> key;
            assertThat(catchThrowable(() -> Cache.over("letters", loader, c -> c.writeAround())))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("store must be a Store when strategy is WRITE_AROUND, but was ");
        }
    }

    @Nested
    class OfAStoreThatChangesItsMind {
        @Test
        void a_key_that_the_store_says_has_changed_is_dropped_also_through_a_guard() {
            List<Consumer<? super String>> told = new ArrayList<>();
            Store<String, String> changing = new Store<>() {
                @Override
                public String load(String key) {
                    return "1";
                }

                @Override
                public void save(String key, String value) {}

                @Override
                public void delete(String key) {}

                @Override
                public void whenChanged(Consumer<? super String> drop) {
                    told.add(drop);
                }
            };
            Cache<String, String> over = Cache.over(
                    "over", changing.guardedBy(Bulkhead.of("b", 1)), c -> c.writeThrough(), time.environment());
            over.put("a", "mine");
            told.forEach(drop -> drop.accept("a"));
            assertThat(over.getIfPresent("a")).isNull();
        }
    }
}
