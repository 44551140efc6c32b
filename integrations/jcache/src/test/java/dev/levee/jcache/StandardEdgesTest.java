package dev.levee.jcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.testing.ManualTime;
import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import javax.cache.Cache;
import javax.cache.CacheManager;
import javax.cache.configuration.Factory;
import javax.cache.configuration.MutableConfiguration;
import javax.cache.expiry.CreatedExpiryPolicy;
import javax.cache.expiry.Duration;
import javax.cache.expiry.ExpiryPolicy;
import javax.cache.integration.CacheLoader;
import javax.cache.integration.CacheLoaderException;
import javax.cache.integration.CacheWriter;
import javax.cache.integration.CompletionListenerFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class StandardEdgesTest {
    private final ManualTime time = new ManualTime();
    private final CacheManager manager = new LeveeCachingProvider(time.environment()).getCacheManager();

    private record Same<T>(T object) implements Factory<T> {
        @Override
        public T create() {
            return object;
        }
    }

    /** A key or a value that changes. */
    static final class Name implements Serializable {
        private static final long serialVersionUID = 1L;

        String text;

        Name(String text) {
            this.text = text;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Name name && text.equals(name.text);
        }

        @Override
        public int hashCode() {
            return Objects.hash(text);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A store that keeps what it is given, and changes it. */
    private static final class Careless implements CacheLoader<Name, Name>, CacheWriter<Name, Name> {
        final Map<String, String> rows = new HashMap<>();
        int loads;

        @Override
        public Name load(Name key) {
            loads++;
            String row = rows.get(key.text);
            key.text = "changed";
            return row == null ? null : new Name(row);
        }

        @Override
        public Map<Name, Name> loadAll(Iterable<? extends Name> keys) {
            Map<Name, Name> found = new HashMap<>();
            List<Name> asked = new ArrayList<>();
            keys.forEach(asked::add);
            asked.forEach(key -> {
                loads++;
                found.put(new Name(key.text), new Name(rows.get(key.text)));
                key.text = "changed";
            });
            return found;
        }

        @Override
        public void write(Cache.Entry<? extends Name, ? extends Name> entry) {
            rows.put(entry.getKey().text, entry.getValue().text);
            entry.getKey().text = "changed";
            entry.getValue().text = "changed";
        }

        @Override
        public void writeAll(Collection<Cache.Entry<? extends Name, ? extends Name>> entries) {
            throw new AssertionError();
        }

        @Override
        public void delete(Object key) {
            rows.remove(((Name) key).text);
            ((Name) key).text = "changed";
        }

        @Override
        public void deleteAll(Collection<?> keys) {
            throw new AssertionError();
        }
    }

    @Nested
    class ByValue {
        private final Careless store = new Careless();
        private final Cache<Name, Name> cache = manager.createCache(
                "by value",
                new MutableConfiguration<Name, Name>()
                        .setReadThrough(true)
                        .setCacheLoaderFactory(new Same<>(store))
                        .setWriteThrough(true)
                        .setCacheWriterFactory(new Same<>(store)));

        @Test
        void a_key_that_a_caller_changes_after_a_load_is_not_that_of_the_cache() {
            store.rows.put("a", "1");
            store.rows.put("b", "2");
            Name key = new Name("a");
            assertThat(cache.get(key)).hasToString("1");
            key.text = "b";
            assertThat(cache.containsKey(new Name("a"))).isTrue();
            assertThat(cache.get(new Name("a"))).hasToString("1");
            assertThat(store.loads).isEqualTo(1);

            Name other = new Name("b");
            assertThat(cache.getAll(Set.of(other))).containsOnlyKeys(other);
            other.text = "c";
            assertThat(cache.containsKey(new Name("b"))).isTrue();
            assertThat(store.loads).isEqualTo(2);
        }

        @Test
        void a_key_that_is_given_for_many_is_not_that_of_the_cache() {
            store.rows.put("a", "1");
            cache.getAll(Set.of(new Name("a"))).keySet().iterator().next().text = "b";

            assertThat(cache.containsKey(new Name("a"))).isTrue();
        }

        @Test
        void what_a_store_changes_is_not_that_of_the_cache() {
            cache.put(new Name("a"), new Name("1"));

            assertThat(cache.containsKey(new Name("a"))).isTrue();
            assertThat(cache.get(new Name("a"))).hasToString("1");
            assertThat(cache.remove(new Name("a"))).isTrue();
            assertThat(cache.containsKey(new Name("a"))).isFalse();
            assertThat(store.rows).isEmpty();
            store.rows.put("a", "2");
            assertThat(cache.get(new Name("a"))).hasToString("2");
            assertThat(cache.containsKey(new Name("a"))).isTrue();
            assertThat(cache.getAll(Set.of(new Name("a")))).hasSize(1);
        }

        @Test
        void what_a_processor_has_set_and_read_is_not_that_of_the_cache() {
            Name read = cache.invoke(new Name("a"), (entry, arguments) -> {
                entry.setValue(new Name("1"));
                Name value = entry.getValue();
                value.text = "changed in the processor";
                return entry.getValue();
            });
            assertThat(read).hasToString("1");
            read.text = "changed after it";

            assertThat(cache.get(new Name("a"))).hasToString("1");
        }
    }

    /** A value that is equal to nothing but itself. */
    private static final class Opaque {
        final String text;

        Opaque(String text) {
            this.text = text;
        }
    }

    /** A store of such values: each read brings another one. */
    private static final class OpaqueRows implements CacheLoader<String, Opaque>, CacheWriter<String, Opaque> {
        final Map<String, String> rows = new HashMap<>();

        @Override
        public Opaque load(String key) {
            String row = rows.get(key);
            return row == null ? null : new Opaque(row);
        }

        @Override
        public Map<String, Opaque> loadAll(Iterable<? extends String> keys) {
            throw new AssertionError();
        }

        @Override
        public void write(Cache.Entry<? extends String, ? extends Opaque> entry) {
            rows.put(entry.getKey(), entry.getValue().text);
        }

        @Override
        public void writeAll(Collection<Cache.Entry<? extends String, ? extends Opaque>> entries) {
            throw new AssertionError();
        }

        @Override
        public void delete(Object key) {
            rows.remove(key);
        }

        @Override
        public void deleteAll(Collection<?> keys) {
            throw new AssertionError();
        }
    }

    @Test
    void values_without_equality_that_are_not_kept_are_replaced_in_the_store() {
        OpaqueRows store = new OpaqueRows();
        store.rows.put("a", "1");
        Cache<String, Opaque> cache = manager.createCache(
                "opaque",
                new MutableConfiguration<String, Opaque>()
                        .setStoreByValue(false)
                        .setReadThrough(true)
                        .setCacheLoaderFactory(new Same<>(store))
                        .setWriteThrough(true)
                        .setCacheWriterFactory(new Same<>(store))
                        .setExpiryPolicyFactory(CreatedExpiryPolicy.factoryOf(Duration.ZERO)));
        assertThat(cache.getAndPut("a", new Opaque("2")).text).isEqualTo("1");
        assertThat(store.rows).isEqualTo(Map.of("a", "2"));
        assertThat(cache.getAndPut("b", new Opaque("1"))).isNull();
        assertThat(store.rows).isEqualTo(Map.of("a", "2", "b", "1"));
    }

    @Nested
    class Loads {
        @Test
        void a_listener_is_told_of_an_error_too() throws Exception {
            AssertionError broken = new AssertionError("broken");
            CacheLoader<String, String> loader = new CacheLoader<>() {
                @Override
                public String load(String key) {
                    throw broken;
                }

                @Override
                public Map<String, String> loadAll(Iterable<? extends String> keys) {
                    throw broken;
                }
            };
            Cache<String, String> cache = manager.createCache(
                    "loads", new MutableConfiguration<String, String>().setCacheLoaderFactory(new Same<>(loader)));
            CompletionListenerFuture done = new CompletionListenerFuture();
            cache.loadAll(Set.of("a"), false, done);
            time.runReady();

            assertThat(done.isDone()).isTrue();
            assertThat(catchThrowable(() -> done.get(10, TimeUnit.SECONDS)))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(CacheLoaderException.class)
                    .hasRootCause(broken);
        }
    }

    @Nested
    class Expiry {
        private boolean broken = true;

        private final class FixedLives implements ExpiryPolicy {
            @Override
            public Duration getExpiryForCreation() {
                return answer(Duration.ONE_MINUTE);
            }

            @Override
            public Duration getExpiryForAccess() {
                return answer(null);
            }

            @Override
            public Duration getExpiryForUpdate() {
                return answer(Duration.ONE_MINUTE);
            }

            private Duration answer(Duration right) {
                if (broken) {
                    throw new IllegalStateException("no policy today");
                }
                return right;
            }
        }

        @Test
        void a_policy_that_throws_does_not_fail_a_call() {
            Cache<String, String> cache = manager.createCache(
                    "expiry",
                    new MutableConfiguration<String, String>().setExpiryPolicyFactory(new Same<>(new FixedLives())));
            cache.put("a", "1");
            time.advance(java.time.Duration.ofDays(1));
            assertThat(cache.get("a")).isEqualTo("1");
            broken = false;
            cache.put("a", "2");
            broken = true;
            cache.put("a", "3"); // its time stays as it was
            assertThat(cache.get("a")).isEqualTo("3");
            time.advance(java.time.Duration.ofMinutes(1));
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void a_value_that_is_put_in_place_of_a_stale_one_is_new() {
            Cache<String, String> cache = manager.createCache(
                    "stale",
                    new LeveeConfiguration<String, String>()
                            .settings(c -> c.staleWhileRevalidate(java.time.Duration.ofHours(1)))
                            .setExpiryPolicyFactory(CreatedExpiryPolicy.factoryOf(Duration.ONE_MINUTE)));
            cache.put("a", "1");
            time.advance(java.time.Duration.ofMinutes(2));
            assertThat(cache.get("a")).isEqualTo("1");
            cache.put("a", "2");
            assertThat(cache.get("a")).isEqualTo("2");
            time.advance(java.time.Duration.ofMinutes(2));
            assertThat(cache.replace("a", "2", "3")).isTrue();
            assertThat(cache.get("a")).isEqualTo("3");
        }
    }

    @Nested
    class Closing {
        private final List<String> closed = new ArrayList<>();

        /** A loader or a writer that cannot be closed. */
        private final class Stubborn implements CacheLoader<String, String>, CacheWriter<String, String>, Closeable {
            private final String name;

            Stubborn(String name) {
                this.name = name;
            }

            @Override
            public String load(String key) {
                return null;
            }

            @Override
            public Map<String, String> loadAll(Iterable<? extends String> keys) {
                return Map.of();
            }

            @Override
            public void write(Cache.Entry<? extends String, ? extends String> entry) {}

            @Override
            public void writeAll(Collection<Cache.Entry<? extends String, ? extends String>> entries) {}

            @Override
            public void delete(Object key) {}

            @Override
            public void deleteAll(Collection<?> keys) {}

            @Override
            public void close() throws IOException {
                closed.add(name);
                throw new IOException(name + " is stuck");
            }
        }

        private Cache<String, String> cache(String name) {
            return manager.createCache(
                    name,
                    new MutableConfiguration<String, String>()
                            .setReadThrough(true)
                            .setCacheLoaderFactory(new Same<>(new Stubborn(name + " loader")))
                            .setWriteThrough(true)
                            .setCacheWriterFactory(new Same<>(new Stubborn(name + " writer"))));
        }

        @Test
        void closes_a_writer_after_a_loader_that_cannot_be_closed() {
            Cache<String, String> cache = cache("one");

            assertThatThrownBy(cache::close).hasRootCauseMessage("one loader is stuck");
            assertThat(closed).containsExactly("one loader", "one writer");
            assertThat(cache.isClosed()).isTrue();
        }

        @Test
        void closes_all_caches_of_a_manager_whatever_one_of_them_throws() {
            Cache<String, String> one = cache("one");
            Cache<String, String> two = cache("two");
            manager.close();

            assertThat(one.isClosed()).isTrue();
            assertThat(two.isClosed()).isTrue();
            assertThat(closed).containsExactlyInAnyOrder("one loader", "one writer", "two loader", "two writer");
        }
    }

    /** Takes its name for another cache when it is made, and gives it back when it is closed. */
    private final class Taking implements CacheLoader<String, String>, Closeable {
        Taking() {
            manager.createCache("taken", new MutableConfiguration<>());
        }

        @Override
        public String load(String key) {
            return key;
        }

        @Override
        public Map<String, String> loadAll(Iterable<? extends String> keys) {
            return Map.of();
        }

        @Override
        public void close() {
            manager.destroyCache("taken");
        }
    }

    @Test
    void a_name_that_is_taken_while_a_cache_is_made_is_an_error_though_it_is_free_again() {
        assertThatThrownBy(() -> manager.createCache(
                        "taken",
                        new MutableConfiguration<String, String>()
                                .setReadThrough(true)
                                .setCacheLoaderFactory(Taking::new)))
                .hasMessageContaining("has a cache \"taken\" already");
        assertThat(manager.<String, String>getCache("taken")).isNull();
    }
}
