package dev.levee.jcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.testing.ManualTime;
import java.io.Closeable;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.cache.Cache;
import javax.cache.CacheException;
import javax.cache.CacheManager;
import javax.cache.configuration.CompleteConfiguration;
import javax.cache.configuration.Factory;
import javax.cache.configuration.MutableCacheEntryListenerConfiguration;
import javax.cache.configuration.MutableConfiguration;
import javax.cache.expiry.AccessedExpiryPolicy;
import javax.cache.expiry.CreatedExpiryPolicy;
import javax.cache.expiry.ModifiedExpiryPolicy;
import javax.cache.expiry.TouchedExpiryPolicy;
import javax.cache.integration.CacheLoader;
import javax.cache.integration.CacheLoaderException;
import javax.cache.integration.CacheWriter;
import javax.cache.integration.CacheWriterException;
import javax.cache.integration.CompletionListenerFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class LeveeJCacheTest {
    private final ManualTime time = new ManualTime();
    private final CacheManager manager = new LeveeCachingProvider(time.environment()).getCacheManager();
    private final Table table = new Table();

    /** A loader and writer of rows. */
    static final class Table implements CacheLoader<String, String>, CacheWriter<String, String>, Closeable {
        final Map<String, String> rows = new ConcurrentHashMap<>();
        final List<String> log = java.util.Collections.synchronizedList(new ArrayList<>());
        volatile Runnable before = () -> {};
        final AtomicInteger closes = new AtomicInteger();

        @Override
        public synchronized String load(String key) {
            String row = rows.get(key);
            log.add("load " + key);
            before.run();
            return row;
        }

        @Override
        public Map<String, String> loadAll(Iterable<? extends String> keys) {
            Map<String, String> found = new java.util.HashMap<>();
            keys.forEach(key -> found.put(key, load(key)));
            return found;
        }

        @Override
        public void write(Cache.Entry<? extends String, ? extends String> entry) {
            log.add("write " + entry.getKey());
            before.run();
            rows.put(entry.getKey(), entry.getValue());
        }

        @Override
        public void writeAll(Collection<Cache.Entry<? extends String, ? extends String>> entries) {
            throw new AssertionError();
        }

        @Override
        public void delete(Object key) {
            log.add("delete " + key);
            before.run();
            rows.remove(key);
        }

        @Override
        public void deleteAll(Collection<?> keys) {
            throw new AssertionError();
        }

        @Override
        public void close() {
            closes.incrementAndGet();
        }
    }

    private static <T> Factory<T> factory(T of) {
        return new Same<>(of);
    }

    private record Same<T>(T object) implements Factory<T> {
        @Override
        public T create() {
            return object;
        }
    }

    private Cache<String, String> plain() {
        return manager.createCache("plain", new MutableConfiguration<>());
    }

    private Cache<String, String> reading() {
        return manager.createCache(
                "reading",
                new MutableConfiguration<String, String>().setReadThrough(true).setCacheLoaderFactory(factory(table)));
    }

    private Cache<String, String> writing() {
        return manager.createCache(
                "writing",
                new MutableConfiguration<String, String>()
                        .setReadThrough(true)
                        .setCacheLoaderFactory(factory(table))
                        .setWriteThrough(true)
                        .setCacheWriterFactory(factory(table)));
    }

    @Nested
    class Plain {
        private final Cache<String, String> cache = plain();

        @Test
        void reads_and_changes_values() {
            assertThat(cache.get("a")).isNull();
            cache.put("a", "1");
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.containsKey("a")).isTrue();
            assertThat(cache.containsKey("b")).isFalse();
            assertThat(cache.getAndPut("a", "2")).isEqualTo("1");
            assertThat(cache.getAndPut("b", "1")).isNull();
            assertThat(cache.putIfAbsent("a", "3")).isFalse();
            assertThat(cache.putIfAbsent("c", "3")).isTrue();
            assertThat(cache.replace("a", "1", "4")).isFalse();
            assertThat(cache.replace("a", "2", "4")).isTrue();
            assertThat(cache.replace("d", "1", "4")).isFalse();
            assertThat(cache.replace("a", "5")).isTrue();
            assertThat(cache.replace("d", "5")).isFalse();
            assertThat(cache.getAndReplace("a", "6")).isEqualTo("5");
            assertThat(cache.getAndReplace("d", "6")).isNull();
            assertThat(cache.remove("a", "5")).isFalse();
            assertThat(cache.remove("a", "6")).isTrue();
            assertThat(cache.remove("a")).isFalse();
            assertThat(cache.remove("b")).isTrue();
            assertThat(cache.getAndRemove("c")).isEqualTo("3");
            assertThat(cache.getAndRemove("c")).isNull();
            cache.putAll(Map.of("a", "1", "b", "2", "c", "3"));
            assertThat(cache.getAll(Set.of("a", "b", "z"))).isEqualTo(Map.of("a", "1", "b", "2"));
            cache.removeAll(Set.of("a", "z"));
            assertThat(cache.getAll(Set.of("a", "b"))).isEqualTo(Map.of("b", "2"));
            cache.removeAll();
            assertThat(cache.containsKey("b")).isFalse();
            cache.put("a", "1");
            cache.clear();
            assertThat(cache.containsKey("a")).isFalse();
        }

        @Test
        void refuses_null() {
            List<Executable> calls = List.of(
                    () -> cache.get(null),
                    () -> cache.put(null, "1"),
                    () -> cache.put("a", null),
                    () -> cache.getAndPut("a", null),
                    () -> cache.putIfAbsent("a", null),
                    () -> cache.replace("a", null),
                    () -> cache.replace("a", "1", null),
                    () -> cache.replace("a", null, "1"),
                    () -> cache.remove(null),
                    () -> cache.remove("a", null),
                    () -> cache.containsKey(null),
                    () -> cache.getAll(null),
                    () -> cache.putAll(null));
            for (Executable call : calls) {
                assertThat(catchThrowable(call::execute)).isInstanceOf(NullPointerException.class);
            }
        }

        @Test
        void a_batch_with_a_null_changes_nothing() {
            Map<String, String> batch = new java.util.HashMap<>();
            batch.put("a", "1");
            batch.put("b", null);

            assertThatThrownBy(() -> cache.putAll(batch)).isInstanceOf(NullPointerException.class);
            assertThat(cache.containsKey("a")).isFalse();
        }

        @Test
        void compares_and_sets_in_one_step() throws Exception {
            cache.put("count", "0");
            List<FutureTask<Void>> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                FutureTask<Void> thread = new FutureTask<>(() -> {
                    for (int k = 0; k < 500; k++) {
                        String was = cache.get("count");
                        while (!cache.replace("count", was, String.valueOf(Integer.parseInt(was) + 1))) {
                            was = cache.get("count");
                        }
                    }
                    return null;
                });
                threads.add(thread);
                new Thread(thread).start();
            }
            for (FutureTask<Void> thread : threads) {
                thread.get(30, TimeUnit.SECONDS);
            }

            assertThat(cache.get("count")).isEqualTo("2000");
        }

        @Test
        void is_closed_for_good() {
            cache.put("a", "1");
            cache.close();
            cache.close();

            assertThat(cache.isClosed()).isTrue();
            for (Executable call : List.<Executable>of(
                    () -> cache.get("a"),
                    () -> cache.put("a", "1"),
                    () -> cache.replace("a", null, null),
                    cache::clear,
                    cache::removeAll,
                    () -> cache.getAll(Set.of()),
                    cache::iterator)) {
                assertThat(catchThrowable(call::execute))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("cache \"plain\" is closed");
            }
            assertThat(manager.<String, String>getCache("plain")).isNull();
            assertThat(plain().get("a")).isNull();
        }

        @Test
        void is_walked_by_the_keys_of_one_moment_and_the_values_of_each() {
            assertThat(cache.iterator().hasNext()).isFalse();
            cache.putAll(Map.of("a", "1", "b", "2", "c", "3"));
            java.util.Iterator<Cache.Entry<String, String>> entries = cache.iterator();
            cache.remove("b");
            cache.put("c", "4");
            Map<String, String> seen = new java.util.HashMap<>();
            while (entries.hasNext()) {
                Cache.Entry<String, String> entry = entries.next();
                seen.put(entry.getKey(), entry.getValue());
                if (entry.getKey().equals("a")) {
                    entries.remove();
                    assertThatThrownBy(entries::remove).isInstanceOf(IllegalStateException.class);
                }
            }
            assertThat(seen).isEqualTo(Map.of("a", "1", "c", "4"));
            assertThatThrownBy(entries::next).isInstanceOf(java.util.NoSuchElementException.class);
            assertThat(cache.containsKey("a")).isFalse();
            assertThat(cache).extracting(Cache.Entry::getKey).containsExactly("c");
            cache.close();
            assertThatThrownBy(cache::iterator).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void says_what_it_cannot_do_and_why() {
            List<Executable> calls = List.of(
                    () -> cache.registerCacheEntryListener(
                            new MutableCacheEntryListenerConfiguration<>(null, null, false, false)),
                    () -> cache.deregisterCacheEntryListener(
                            new MutableCacheEntryListenerConfiguration<>(null, null, false, false)),
                    () -> manager.enableStatistics("plain", true),
                    () -> manager.enableManagement("plain", true));
            for (Executable call : calls) {
                assertThat(catchThrowable(call::execute))
                        .isInstanceOf(UnsupportedOperationException.class)
                        .hasMessageStartingWith("cache \"plain\": ")
                        .hasMessageContaining("not supported");
            }
            manager.enableStatistics("plain", false);
            manager.enableManagement("plain", false);
        }
    }

    @Nested
    class ReadThrough {
        private final Cache<String, String> cache = reading();

        @Test
        void loads_what_is_missing_once() {
            table.rows.put("a", "1");

            assertThat(cache.containsKey("a")).isFalse();
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(cache.getAll(Set.of("a", "b"))).isEqualTo(Map.of("a", "1"));
            assertThat(table.log).containsExactly("load a", "load b");
        }

        @Test
        void a_value_that_was_removed_during_its_load_does_not_come_back() throws Exception {
            for (Runnable change : List.<Runnable>of(
                    () -> cache.remove("a"), cache::clear, cache::removeAll, () -> cache.removeAll(Set.of("a")))) {
                table.rows.put("a", "old");
                CountDownLatch loading = new CountDownLatch(1);
                CountDownLatch released = new CountDownLatch(1);
                table.before = () -> {
                    loading.countDown();
                    try {
                        released.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                };
                FutureTask<String> first = new FutureTask<>(() -> cache.get("a"));
                new Thread(first).start();
                loading.await();
                change.run();
                table.rows.put("a", "new");
                released.countDown();
                assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("old");
                table.before = () -> {};

                assertThat(cache.get("a")).isEqualTo("new");
                cache.clear();
            }
        }

        @Test
        void a_failure_of_the_loader_is_its_cause() {
            IllegalArgumentException wrong = new IllegalArgumentException("wrong");
            table.before = () -> {
                throw wrong;
            };

            assertThatThrownBy(() -> cache.get("a"))
                    .isInstanceOf(CacheLoaderException.class)
                    .hasCause(wrong);
            assertThatThrownBy(() -> cache.getAll(Set.of("a")))
                    .isInstanceOf(CacheLoaderException.class)
                    .hasCause(wrong);
        }

        @Test
        void conditions_look_at_the_cache_and_not_at_the_store() {
            table.rows.put("a", "1");

            assertThat(cache.replace("a", "2")).isFalse();
            assertThat(cache.putIfAbsent("a", "2")).isTrue();
            assertThat(cache.get("a")).isEqualTo("2");
            assertThat(table.log).isEmpty();
        }

        @Test
        void loads_ahead() throws Exception {
            table.rows.putAll(Map.of("a", "1", "b", "2"));
            cache.put("a", "old");
            CompletionListenerFuture done = new CompletionListenerFuture();
            cache.loadAll(Set.of("a", "b"), false, done);
            time.runReady();
            done.get(10, TimeUnit.SECONDS);
            assertThat(cache.get("a")).isEqualTo("old");
            assertThat(table.log).containsExactly("load b");
            CompletionListenerFuture again = new CompletionListenerFuture();
            cache.loadAll(Set.of("a"), true, again);
            time.runReady();
            again.get(10, TimeUnit.SECONDS);

            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void tells_a_listener_that_loads_have_failed() {
            table.before = () -> {
                throw new IllegalArgumentException("wrong");
            };
            CompletionListenerFuture done = new CompletionListenerFuture();
            cache.loadAll(Set.of("a"), false, done);
            time.runReady();

            assertThatThrownBy(() -> done.get(10, TimeUnit.SECONDS)).hasRootCauseMessage("wrong");
        }

        @Test
        void closes_the_loader() {
            cache.close();

            assertThat(table.closes).hasValue(1);
        }
    }

    @Nested
    class WriteThrough {
        private final Cache<String, String> cache = writing();

        @Test
        void writes_the_store_first() {
            cache.put("a", "1");
            cache.putAll(Map.of("b", "2"));
            assertThat(table.rows).isEqualTo(Map.of("a", "1", "b", "2"));
            assertThat(cache.remove("a")).isTrue();
            cache.removeAll(Set.of("b"));
            assertThat(table.rows).isEmpty();
            assertThat(table.log).containsExactly("write a", "write b", "delete a", "delete b");
        }

        @Test
        void keeps_no_value_if_the_store_failed() {
            cache.put("a", "1");
            IllegalArgumentException wrong = new IllegalArgumentException("wrong");
            table.before = () -> {
                throw wrong;
            };

            assertThatThrownBy(() -> cache.put("a", "2"))
                    .isInstanceOf(CacheWriterException.class)
                    .hasCause(wrong);
            assertThat(cache.containsKey("a")).isFalse();
            assertThatThrownBy(() -> cache.remove("a"))
                    .isInstanceOf(CacheWriterException.class)
                    .hasCause(wrong);
        }

        @Test
        void clear_leaves_the_store_alone() {
            cache.put("a", "1");
            cache.clear();

            assertThat(cache.get("a")).isEqualTo("1");
        }

        @Test
        void changes_by_what_is_there_write_the_store_in_turn() {
            cache.put("a", "1");
            assertThat(cache.getAndPut("a", "2")).isEqualTo("1");
            assertThat(cache.putIfAbsent("a", "x")).isFalse();
            assertThat(cache.putIfAbsent("b", "3")).isTrue();
            assertThat(cache.replace("a", "1", "x")).isFalse();
            assertThat(cache.replace("a", "2", "4")).isTrue();
            assertThat(cache.replace("c", "x")).isFalse();
            assertThat(cache.getAndReplace("a", "5")).isEqualTo("4");
            assertThat(cache.remove("a", "x")).isFalse();
            assertThat(cache.remove("a", "5")).isTrue();
            assertThat(cache.getAndRemove("b")).isEqualTo("3");
            assertThat(table.rows).isEmpty();
            assertThat(table.log)
                    .containsExactly(
                            "write a", "write a", "load b", "write b", "write a", "write a", "delete a", "delete b");
        }

        @Test
        void what_was_evicted_is_not_absent() {
            cache.put("a", "1");
            cache.put("b", "2");
            cache.clear();
            assertThat(cache.putIfAbsent("a", "x")).isFalse();
            assertThat(cache.getAndPut("b", "3")).isEqualTo("2");
            assertThat(table.rows).isEqualTo(Map.of("a", "1", "b", "3"));
        }

        @Test
        void a_change_by_what_is_there_fails_as_the_loader_or_the_writer_does() {
            CacheLoaderException unread = new CacheLoaderException("unread");
            table.before = () -> {
                throw unread;
            };
            assertThatThrownBy(() -> cache.putIfAbsent("a", "1")).isSameAs(unread);
            table.before = () -> {};
            cache.put("a", "1");
            table.before = () -> {
                throw new IllegalArgumentException("unwritten");
            };
            assertThatThrownBy(() -> cache.replace("a", "1", "2"))
                    .isInstanceOf(CacheWriterException.class)
                    .hasRootCauseMessage("unwritten");
        }

        @Test
        void values_that_are_not_kept_are_changed_in_the_store_all_the_same() {
            Cache<String, String> zero = manager.createCache(
                    "zero",
                    new MutableConfiguration<String, String>()
                            .setReadThrough(true)
                            .setCacheLoaderFactory(factory(table))
                            .setWriteThrough(true)
                            .setCacheWriterFactory(factory(table))
                            .setExpiryPolicyFactory(CreatedExpiryPolicy.factoryOf(javax.cache.expiry.Duration.ZERO)));
            assertThat(zero.putIfAbsent("a", "1")).isTrue();
            assertThat(zero.putIfAbsent("a", "2")).isFalse();
            assertThat(zero.getAndPut("a", "3")).isEqualTo("1");
            assertThat(table.rows).isEqualTo(Map.of("a", "3"));
        }

        @Test
        void one_of_those_that_put_if_absent_wins() throws Exception {
            AtomicInteger won = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String value = "v" + i;
                Thread thread = new Thread(() -> {
                    for (int key = 0; key < 200; key++) {
                        if (cache.putIfAbsent("k" + key, value)) {
                            won.incrementAndGet();
                        }
                    }
                });
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join(60_000);
            }
            assertThat(won).hasValue(200);
            assertThat(table.log).filteredOn(it -> it.startsWith("write")).hasSize(200);
        }

        @Test
        void to_walk_it_loads_and_writes_nothing_and_to_remove_deletes() {
            table.rows.put("b", "2");
            cache.put("a", "1");
            java.util.Iterator<Cache.Entry<String, String>> entries = cache.iterator();
            assertThat(entries.next().getKey()).isEqualTo("a");
            entries.remove();
            assertThat(entries.hasNext()).isFalse();
            assertThat(table.log).containsExactly("write a", "delete a");
        }

        @Test
        void to_remove_all_is_refused() {
            cache.put("a", "1");
            assertThatThrownBy(cache::removeAll)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("with a CacheWriter");
            assertThat(cache.get("a")).isEqualTo("1");
        }
    }

    /** A value that can be changed. */
    static final class Mutable implements Serializable {
        private static final long serialVersionUID = 1L;
        int number;

        Mutable(int number) {
            this.number = number;
        }
    }

    @Nested
    class Copies {
        @Test
        void are_stored_and_given_by_value() {
            Cache<String, Mutable> cache = manager.createCache("values", new MutableConfiguration<>());
            Mutable put = new Mutable(1);
            cache.put("a", put);
            put.number = 2;
            assertThat(cache.get("a").number).isEqualTo(1);
            cache.get("a").number = 3;

            assertThat(cache.get("a").number).isEqualTo(1);
            assertThat(cache.getAll(Set.of("a")).get("a")).isNotSameAs(cache.get("a"));
        }

        @Test
        void are_not_made_by_reference() {
            Cache<String, Mutable> cache = manager.createCache(
                    "references", new MutableConfiguration<String, Mutable>().setStoreByValue(false));
            Mutable put = new Mutable(1);
            cache.put("a", put);

            assertThat(cache.get("a")).isSameAs(put);
        }

        @Test
        void of_what_cannot_be_copied_are_an_error() {
            Cache<String, Object> cache = manager.createCache("values", new MutableConfiguration<>());

            assertThatThrownBy(() -> cache.put("a", new Object()))
                    .isInstanceOf(CacheException.class)
                    .hasMessageContaining("java.lang.Object cannot be copied");
        }
    }

    @Nested
    class Settings {
        @Test
        void of_expiry_are_exact() {
            Cache<String, String> cache = manager.createCache(
                    "expiring",
                    new MutableConfiguration<String, String>()
                            .setExpiryPolicyFactory(ModifiedExpiryPolicy.factoryOf(
                                    new javax.cache.expiry.Duration(TimeUnit.SECONDS, 10))));
            cache.put("a", "1");
            time.advance(Duration.ofSeconds(10).minusNanos(1));
            assertThat(cache.get("a")).isEqualTo("1");
            cache.put("a", "2");
            time.advance(Duration.ofSeconds(10).minusNanos(1));
            assertThat(cache.get("a")).isEqualTo("2");
            time.advance(Duration.ofNanos(1));

            assertThat(cache.get("a")).isNull();
        }

        @Test
        void of_expiry_by_creation_outlast_updates() {
            Cache<String, String> cache = manager.createCache(
                    "expiring",
                    new MutableConfiguration<String, String>()
                            .setReadThrough(true)
                            .setCacheLoaderFactory(factory(table))
                            .setExpiryPolicyFactory(CreatedExpiryPolicy.factoryOf(
                                    new javax.cache.expiry.Duration(TimeUnit.SECONDS, 10))));
            cache.put("a", "1");
            table.rows.put("b", "1");
            cache.get("b");
            time.advance(Duration.ofSeconds(6));
            cache.put("a", "2");
            cache.replace("b", "2");
            time.advance(Duration.ofSeconds(4).minusNanos(1));
            assertThat(cache.get("a")).isEqualTo("2");
            assertThat(cache.get("b")).isEqualTo("2");
            time.advance(Duration.ofNanos(1));

            assertThat(cache.containsKey("a")).isFalse();
            assertThat(cache.containsKey("b")).isFalse();
        }

        @Test
        void of_no_life_keep_nothing() {
            Cache<String, String> cache = manager.createCache(
                    "expiring",
                    new MutableConfiguration<String, String>()
                            .setExpiryPolicyFactory(ModifiedExpiryPolicy.factoryOf(javax.cache.expiry.Duration.ZERO)));
            cache.put("a", "1");

            assertThat(cache.containsKey("a")).isFalse();
        }

        @Test
        void of_expiry_by_access_are_refused() {
            javax.cache.expiry.Duration second = new javax.cache.expiry.Duration(TimeUnit.SECONDS, 1);
            for (Factory<? extends javax.cache.expiry.ExpiryPolicy> policy :
                    List.of(AccessedExpiryPolicy.factoryOf(second), TouchedExpiryPolicy.factoryOf(second))) {
                assertThatThrownBy(() -> manager.createCache(
                                "refused", new MutableConfiguration<String, String>().setExpiryPolicyFactory(policy)))
                        .isInstanceOf(UnsupportedOperationException.class)
                        .hasMessageStartingWith("cache \"refused\": the expiry policy");
            }
            assertThat(manager.getCacheNames()).isEmpty();
        }

        @Test
        void of_statistics_management_and_listeners_are_refused() {
            for (MutableConfiguration<String, String> configuration : List.of(
                    new MutableConfiguration<String, String>().setStatisticsEnabled(true),
                    new MutableConfiguration<String, String>().setManagementEnabled(true),
                    new MutableConfiguration<String, String>()
                            .addCacheEntryListenerConfiguration(
                                    new MutableCacheEntryListenerConfiguration<>(null, null, false, false)))) {
                assertThatThrownBy(() -> manager.createCache("refused", configuration))
                        .isInstanceOf(UnsupportedOperationException.class);
            }
        }

        @Test
        void without_their_factory_are_refused() {
            assertThatThrownBy(() -> manager.createCache(
                            "refused", new MutableConfiguration<String, String>().setReadThrough(true)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("cache \"refused\" is read-through, but has no factory for it");
            assertThatThrownBy(() -> manager.createCache(
                            "refused", new MutableConfiguration<String, String>().setWriteThrough(true)))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void of_Levee_stand_beside_those_of_the_standard() {
            LeveeConfiguration<String, String> configuration =
                    new LeveeConfiguration<String, String>().settings(c -> c.maxSize(7));
            Cache<String, String> cache = manager.createCache("small", configuration);

            assertThat(cache.toString()).contains("of 7");
        }

        @Test
        @SuppressWarnings("unchecked") // a class has no type arguments
        void are_copied() {
            MutableConfiguration<String, String> configuration = new MutableConfiguration<>();
            Cache<String, String> cache = manager.createCache("plain", configuration);
            configuration.setTypes(String.class, String.class);

            assertThat(cache.getConfiguration(CompleteConfiguration.class).getKeyType())
                    .isEqualTo(Object.class);
        }

        @Test
        @SuppressWarnings({"unchecked", "rawtypes"}) // what a caller with raw types does
        void of_types_are_held() {
            Cache cache = manager.createCache(
                    "typed", new MutableConfiguration<String, String>().setTypes(String.class, String.class));

            assertThatThrownBy(() -> cache.put(1, "a")).isInstanceOf(ClassCastException.class);
            assertThatThrownBy(() -> cache.put("a", 1)).isInstanceOf(ClassCastException.class);
            assertThatThrownBy(() -> manager.getCache("typed", String.class, Integer.class))
                    .isInstanceOf(ClassCastException.class);
            assertThat(manager.getCache("typed", String.class, String.class)).isSameAs(cache);
        }
    }
}
