package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Keys for which the store has no value, or fails: with and without an entry that says so. */
class CachedAbsenceTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1");

    private Cache<String, String> cache(Consumer<CacheConfig.Builder<String, String>> more) {
        return Cache.over("letters", store, c -> more.accept(c.expiryJitter(0).totals(true)), time.environment());
    }

    private void breakStore(Throwable failure) {
        store.before = operation -> {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (Exception) failure;
        };
    }

    @Nested
    class Absent {
        private final Cache<String, String> cache = cache(c -> c.expireAbsentAfter(ofSeconds(10)));

        @Test
        void is_not_asked_for_again_until_its_time_is_up() {
            assertThat(cache.get("x")).isNull();
            time.advance(ofSeconds(10).minusNanos(1));
            assertThat(cache.get("x")).isNull();
            assertThat(cache.getIfPresent("x")).isNull();
            assertThat(store.log).containsExactly("load x");
            time.advance(ofNanos(1));
            store.rows.put("x", "new");
            assertThat(cache.getEntry("x")).isNull();
            assertThat(cache.get("x")).isEqualTo("new");
            assertThat(RefreshAheadTest.metrics(cache))
                    .containsEntry("cache.hits", 2.0)
                    .containsEntry("cache.hits.absent", 2.0)
                    .containsEntry("cache.loads", 2.0);
        }

        @Test
        void is_told_apart_from_nothing_known() {
            assertThat(cache.getEntry("x")).isNull();
            cache.get("x");
            assertThat(cache.getEntry("x")).satisfies(entry -> {
                assertThat(entry.value()).isNull();
                assertThat(entry.failure()).isNull();
                assertThat(entry.expiresIn()).hasSeconds(10);
            });
        }

        @Test
        void ends_with_a_put_and_with_an_invalidation() {
            cache.get("x");
            cache.put("x", "put");
            assertThat(cache.get("x")).isEqualTo("put");
            store.rows.remove("x");
            cache.get("y");
            store.rows.put("y", "new");
            cache.invalidate("y");
            assertThat(cache.get("y")).isEqualTo("new");
            cache.get("z");
            store.rows.put("z", "new");
            cache.invalidateAll();
            assertThat(cache.get("z")).isEqualTo("new");
        }

        @Test
        void replaces_an_old_value_when_the_row_is_gone() {
            Cache<String, String> ahead =
                    cache(c -> c.expireAbsentAfter(ofSeconds(10)).refreshAfter(ofMinutes(4)));
            ahead.get("a");
            store.rows.remove("a");
            time.advance(ofMinutes(4));
            assertThat(ahead.get("a")).isEqualTo("1");
            time.runReady();
            assertThat(ahead.get("a")).isNull();
            assertThat(store.log).hasSize(2);
        }

        @Test
        void is_not_served_beyond_its_time_when_the_store_fails() {
            Cache<String, String> lenient =
                    cache(c -> c.expireAbsentAfter(ofSeconds(10)).staleIfError(ofMinutes(60)));
            lenient.get("x");
            time.advance(ofSeconds(10));
            breakStore(new IOException("down"));
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> lenient.get("x"));
        }

        @Test
        void may_have_no_end() {
            Cache<String, String> endless = cache(c -> c.expireAbsentAfter(Deadline.FOREVER));
            endless.get("x");
            time.advance(ofMinutes(1_000_000));
            endless.get("x");
            assertThat(store.log).hasSize(1);
        }
    }

    @Nested
    class Failed {
        private final IOException down = new IOException("down");
        private final Cache<String, String> cache = cache(c -> c.expireFailuresAfter(ofSeconds(10)));

        @Test
        void is_not_asked_for_again_until_its_time_is_up_and_each_caller_gets_its_own_exception() {
            breakStore(down);
            List<Throwable> failures = new ArrayList<>();
            failures.add(catchThrowable(() -> cache.get("a")));
            time.advance(ofSeconds(10).minusNanos(1));
            failures.add(catchThrowable(() -> cache.get("a")));
            failures.add(catchThrowable(() -> cache.get("a")));
            assertThat(failures)
                    .doesNotHaveDuplicates()
                    .allSatisfy(failure -> assertThat(failure)
                            .isInstanceOf(StoreException.class)
                            .hasCause(down));
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.getEntry("a").failure()).isSameAs(down);
            assertThat(store.log).hasSize(1);
            store.before = operation -> {};
            time.advance(ofNanos(1));
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(RefreshAheadTest.metrics(cache)).containsEntry("cache.hits.failed", 3.0);
        }

        @Test
        void is_asked_for_after_longer_and_longer_pauses() {
            breakStore(down);
            List<Integer> tries = new ArrayList<>();
            for (int at = 0; at < 800; at += 10) {
                int before = store.log.size();
                assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
                if (store.log.size() > before) {
                    tries.add(at);
                }
                time.advance(ofSeconds(10));
            }
            assertThat(tries).containsExactly(0, 10, 30, 70, 150, 310, 470, 630, 790);
        }

        @Test
        void has_its_first_pause_again_after_a_success() {
            breakStore(down);
            catchThrowable(() -> cache.get("a"));
            time.advance(ofSeconds(10));
            store.before = operation -> {};
            cache.get("a");
            cache.invalidate("a");
            breakStore(down);
            catchThrowable(() -> cache.get("a"));
            store.before = operation -> {};
            time.advance(ofSeconds(10));
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void ends_with_a_put_and_with_an_invalidation() {
            breakStore(down);
            catchThrowable(() -> cache.get("a"));
            cache.put("a", "put");
            assertThat(cache.get("a")).isEqualTo("put");
            catchThrowable(() -> cache.get("b"));
            store.before = operation -> {};
            cache.invalidate("b");
            assertThat(cache.get("b")).isNull();
        }

        @Test
        void is_not_remembered_of_an_error_a_refusal_or_an_interrupt() {
            AssertionError error = new AssertionError("broken");
            breakStore(error);
            assertThatThrownBy(() -> cache.get("a")).isSameAs(error);
            breakStore(new InterruptedException());
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.get("a"));
            assertThat(Thread.interrupted()).isTrue();
            Bulkhead full = Bulkhead.of("full", 1);
            store.before = operation -> full.call(() -> full.call(() -> operation));
            assertThatExceptionOfType(RefusedException.class).isThrownBy(() -> cache.get("a"));
            store.before = operation -> {};
            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void gives_way_to_an_old_value_and_follows_it() {
            Cache<String, String> lenient =
                    cache(c -> c.expireFailuresAfter(ofSeconds(10)).staleIfError(ofSeconds(30)));
            lenient.get("a");
            breakStore(down);
            time.advance(ofMinutes(5));
            assertThat(lenient.get("a")).isEqualTo("1");
            time.advance(ofSeconds(30));
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> lenient.get("a"));
            int before = store.log.size();
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> lenient.get("a"));
            assertThat(store.log).hasSize(before);
        }
    }

    /** Caffeine needs 50 loads for either. */
    @Nested
    class FiftyCallersOfOneKey {
        private final Environment threaded =
                time.environment().toBuilder().executor(time::start).build();

        private int loads(Loader<String, String> answer) throws Exception {
            AtomicInteger loads = new AtomicInteger();
            Cache<String, String> cache = Cache.over(
                    "slow",
                    key -> {
                        loads.incrementAndGet();
                        threaded.scheduler().sleep(ofMillis(20).toNanos());
                        return answer.load(key);
                    },
                    c -> {},
                    threaded);
            List<FutureTask<String>> callers = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                FutureTask<String> caller = new FutureTask<>(() -> cache.get("a"));
                time.start(caller);
                callers.add(caller);
            }
            time.awaitSleepers(50);
            time.advance(ofMillis(20));
            for (FutureTask<String> caller : callers) {
                catchThrowable(() -> caller.get(10, TimeUnit.SECONDS));
                assertThat(caller).isDone();
            }
            return loads.get();
        }

        @Test
        void share_one_load_that_fails() throws Exception {
            assertThat(loads(key -> {
                        throw new IOException("down");
                    }))
                    .isEqualTo(1);
        }

        @Test
        void share_one_load_that_finds_nothing() throws Exception {
            assertThat(loads(key -> null)).isEqualTo(1);
        }
    }
}
