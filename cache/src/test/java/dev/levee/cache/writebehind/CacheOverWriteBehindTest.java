package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A cache whose store is a write-behind: what readers see when values are evicted, dropped, deleted or given up. */
class CacheOverWriteBehindTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final RowStore rows = new RowStore();
    private final WriteBehind<String, String> writes = behind(DeadKey.EVICT);
    private final Cache<String, String> cache = over(writes);

    private WriteBehind<String, String> behind(DeadKey whenDead) {
        return WriteBehind.of(
                "rows",
                rows,
                c -> c.workers(1).maxTries(1).backoff(Backoff.fixed(SECOND)).whenDead(whenDead),
                time.environment());
    }

    private Cache<String, String> over(WriteBehind<String, String> store) {
        return Cache.over("cache", store, c -> c.writeThrough().maxSize(1), time.environment());
    }

    /** Pushes the value of a key out. */
    private void evict(String key) {
        for (int i = 0; i < 1_000 && cache.getEntry(key) != null; i++) {
            cache.get("other", k -> "x");
            cache.invalidate("other");
            cache.get("another", k -> "x");
        }
        assertThat(cache.getEntry(key)).isNull();
    }

    @Nested
    class APendingWrite {
        @Test
        void wins_over_the_store_when_the_value_is_evicted() {
            rows.rows.put("a", "old");
            cache.put("a", "new");
            evict("a");
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(rows.log).doesNotContain("load a");
        }

        @Test
        void wins_though_an_older_one_is_on_its_way_and_the_value_is_evicted() throws Exception {
            CountDownLatch reached = new CountDownLatch(1);
            CountDownLatch released = new CountDownLatch(1);
            rows.before = call -> {
                if (call.equals("save a 1")) {
                    reached.countDown();
                    released.await();
                }
            };
            cache.put("a", "1");
            FutureTask<Void> worker = new FutureTask<>(() -> {
                time.advance(SECOND);
                return null;
            });
            new Thread(worker).start();
            assertThat(reached.await(10, TimeUnit.SECONDS)).isTrue();
            cache.put("a", "2");
            released.countDown();
            worker.get(10, TimeUnit.SECONDS);
            evict("a");
            assertThat(cache.get("a")).isEqualTo("2");
            time.advance(SECOND);
            evict("a");
            assertThat(cache.get("a")).isEqualTo("2");
            assertThat(rows.rows).containsEntry("a", "2");
        }

        @Test
        void is_not_dropped_with_the_cached_value() {
            cache.put("a", "new");
            cache.invalidate("a");
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("new");
            cache.invalidateAll();
            time.advance(SECOND);
            assertThat(rows.rows).containsEntry("a", "new");
        }

        @Test
        void of_a_deletion_is_an_absence_without_a_load() {
            rows.rows.put("a", "old");
            cache.remove("a");
            assertThat(cache.get("a")).isNull();
            assertThat(rows.log).isEmpty();
        }

        @Test
        void is_what_a_change_that_compares_finds() {
            rows.rows.put("a", "old");
            cache.put("a", "new");
            cache.invalidate("a");
            assertThat(cache.putIfAbsent("a", "other")).isEqualTo("new");
            cache.remove("a");
            assertThat(cache.putIfAbsent("a", "again")).isNull();
            time.advance(SECOND);
            assertThat(rows.rows).containsEntry("a", "again");
        }
    }

    @Nested
    class ADeadLetter {
        private void kill(Cache<String, String> over) {
            rows.rows.put("a", "old");
            rows.failAt("save a");
            over.put("a", "new");
            assertThat(over.get("a")).isEqualTo("new");
            time.advance(SECOND);
            time.advance(SECOND);
            rows.mend();
        }

        @Test
        void of_a_key_that_is_evicted_takes_its_value_out_of_the_cache() {
            kill(cache);
            assertThat(cache.get("a")).isEqualTo("old");
        }

        @Test
        void of_a_key_that_is_kept_leaves_its_value() {
            Cache<String, String> keeping = over(behind(DeadKey.KEEP));
            kill(keeping);
            assertThat(keeping.get("a")).isEqualTo("new");
            keeping.invalidate("a");
            assertThat(keeping.get("a")).isEqualTo("new");
        }

        @Test
        void of_a_key_that_is_blocked_refuses_later_writes() {
            Cache<String, String> blocking = over(behind(DeadKey.BLOCK));
            kill(blocking);
            assertThatThrownBy(() -> blocking.put("a", "newer")).isInstanceOf(WriteRefusedException.class);
            assertThat(blocking.get("a")).isEqualTo("new");
        }

        @Test
        void that_comes_while_its_key_is_loaded_keeps_the_value_out_of_the_cache() throws Exception {
            CountDownLatch reached = new CountDownLatch(1);
            CountDownLatch released = new CountDownLatch(1);
            rows.rows.put("a", "old");
            rows.failAt("save a");
            cache.put("a", "new");
            cache.invalidate("a");
            WriteBehind<String, String> store = writes;
            Cache<String, String> slow = Cache.over(
                    "slow", new SlowReads(store, reached, released), c -> c.writeThrough(), time.environment());
            FutureTask<String> load = new FutureTask<>(() -> slow.get("a"));
            new Thread(load).start();
            assertThat(reached.await(10, TimeUnit.SECONDS)).isTrue();
            time.advance(SECOND);
            time.advance(SECOND); // it is given up, and the cache is told
            released.countDown();
            assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("new");
            assertThat(slow.get("a")).isEqualTo("old");
        }
    }

    /** Reads the store, and then takes its time. */
    private record SlowReads(WriteBehind<String, String> store, CountDownLatch reached, CountDownLatch released)
            implements dev.levee.cache.Store<String, String> {
        @Override
        public String load(String key) throws Exception {
            String read = store.load(key);
            reached.countDown();
            released.await();
            return read;
        }

        @Override
        public void save(String key, String value) throws Exception {
            store.save(key, value);
        }

        @Override
        public void delete(String key) throws Exception {
            store.delete(key);
        }

        @Override
        public void whenChanged(java.util.function.Consumer<? super String> drop) {
            store.whenChanged(drop);
        }
    }

    @Test
    void a_close_while_it_flushes_leaves_nothing_behind_and_no_thread_that_keeps_the_machine_alive() throws Exception {
        List<Thread> before = List.copyOf(Thread.getAllStackTraces().keySet());
        WriteBehind<String, String> real = WriteBehind.of("real", rows, c -> {});
        Cache<String, String> over = Cache.over("real", real, c -> c.writeThrough());
        for (int i = 0; i < 100; i++) {
            over.put("k" + i, "v" + i);
        }
        over.close();
        assertThat(real.close(Duration.ofSeconds(30)).left()).isEmpty();
        assertThat(real.close(Duration.ofSeconds(30)).left()).isEmpty();
        assertThat(rows.rows).hasSize(100).containsAllEntriesOf(Map.of("k0", "v0", "k99", "v99"));
        assertThatThrownBy(() -> over.get("k0")).isInstanceOf(IllegalStateException.class);
        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> !before.contains(thread) && thread.isAlive())
                .allMatch(Thread::isDaemon);
    }
}
