package dev.levee.springcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.policy.Bulkhead;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.CachePut;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Mono;

/** The annotations of Spring, by its own proxies. */
class AnnotatedMethodsTest {
    private final AnnotationConfigApplicationContext context =
            new AnnotationConfigApplicationContext(Application.class);
    private final Users users = context.getBean(Users.class);
    private final Repository repository = context.getBean(Repository.class);

    @AfterEach
    void close() {
        repository.released.countDown();
        context.close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableCaching
    static class Application {
        @Bean
        CacheManager caches() {
            return LeveeCacheManager.of(
                    LeveeCache.of("users"),
                    LeveeCache.of(
                            "served-stale",
                            c -> c.expireAfter(Duration.ofNanos(1)).staleWhileRevalidate(Duration.ofHours(1))),
                    LeveeCache.of("failures-kept", c -> c.expireFailuresAfter(Duration.ofHours(1))),
                    LeveeCache.of(
                            "stale-if-error",
                            c -> c.expireAfter(Duration.ofNanos(1)).staleIfError(Duration.ofHours(1))));
        }

        @Bean
        Repository repository() {
            return new Repository();
        }

        @Bean
        Users users(Repository repository) {
            return new CachedUsers(repository);
        }
    }

    /** Where users are. */
    static class Repository {
        final AtomicInteger reads = new AtomicInteger();
        final CountDownLatch reading = new CountDownLatch(1);
        final CountDownLatch released = new CountDownLatch(1);
        volatile String row = "old";
        volatile boolean held;
        volatile IOException failure;
        volatile RuntimeException refusal;
        volatile Error error;

        String read() throws IOException {
            if (error != null) {
                reads.incrementAndGet();
                throw error;
            }
            if (refusal != null) {
                reads.incrementAndGet();
                throw refusal;
            }
            reads.incrementAndGet();
            String read = row;
            reading.countDown();
            if (held) {
                try {
                    released.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
            if (failure != null) {
                throw failure;
            }
            return read;
        }
    }

    /** What has proxies. */
    interface Users {
        String find(String id) throws IOException;

        String findAlone(String id) throws IOException;

        String findEvenStale(String id) throws IOException;

        String findOrRemember(String id) throws IOException;

        String findOrServeStale(String id) throws IOException;

        CompletableFuture<String> findAtOnceOrRemember(String id) throws IOException;

        String save(String id, String user);

        void delete(String id);

        void deleteAll();

        CompletableFuture<String> findLater(String id);

        CompletableFuture<String> findLaterAlone(String id);

        Mono<String> findReactively(String id);
    }

    static class CachedUsers implements Users {
        private final Repository repository;

        CachedUsers(Repository repository) {
            this.repository = repository;
        }

        @Override
        @Cacheable(cacheNames = "users", sync = true)
        public String find(String id) throws IOException {
            return repository.read();
        }

        @Override
        @Cacheable(cacheNames = "users")
        public String findAlone(String id) throws IOException {
            return repository.read();
        }

        @Override
        @Cacheable(cacheNames = "served-stale", sync = true)
        public String findEvenStale(String id) throws IOException {
            return repository.read();
        }

        @Override
        @Cacheable(cacheNames = "failures-kept", sync = true)
        public String findOrRemember(String id) throws IOException {
            return repository.read();
        }

        @Override
        @Cacheable(cacheNames = "stale-if-error", sync = true)
        public String findOrServeStale(String id) throws IOException {
            return repository.read();
        }

        @Override
        @Cacheable(cacheNames = "failures-kept", sync = true)
        public CompletableFuture<String> findAtOnceOrRemember(String id) throws IOException {
            return CompletableFuture.completedFuture(repository.read());
        }

        @Override
        @CachePut(cacheNames = "users", key = "#p0")
        public String save(String id, String user) {
            repository.row = user;
            return user;
        }

        @Override
        @CacheEvict("users")
        public void delete(String id) {
            repository.row = null;
        }

        @Override
        @CacheEvict(cacheNames = "users", allEntries = true)
        public void deleteAll() {
            repository.row = null;
        }

        @Override
        @Cacheable(cacheNames = "users", sync = true)
        public CompletableFuture<String> findLater(String id) {
            return CompletableFuture.supplyAsync(() -> {
                try {
                    return repository.read();
                } catch (IOException failed) {
                    throw new CompletionException(failed);
                }
            });
        }

        @Override
        @Cacheable(cacheNames = "users")
        public CompletableFuture<String> findLaterAlone(String id) {
            return findLater(id);
        }

        @Override
        @Cacheable(cacheNames = "users", sync = true)
        public Mono<String> findReactively(String id) {
            return Mono.fromCallable(repository::read);
        }
    }

    private FutureTask<String> start(java.util.concurrent.Callable<String> call) {
        FutureTask<String> task = new FutureTask<>(call);
        new Thread(task).start();
        return task;
    }

    @Test
    void a_method_runs_once_for_its_arguments() throws IOException {
        assertThat(users.find("a")).isEqualTo("old");
        assertThat(users.find("a")).isEqualTo("old");
        assertThat(repository.reads).hasValue(1);
        assertThat(users.find("b")).isEqualTo("old");
        assertThat(repository.reads).hasValue(2);
    }

    @Test
    void a_method_that_returned_null_is_not_run_again() throws IOException {
        repository.row = null;

        assertThat(users.find("a")).isNull();
        assertThat(users.find("a")).isNull();
        assertThat(repository.reads).hasValue(1);
    }

    @Test
    void what_a_method_throws_comes_out_as_the_same_object_and_is_not_kept() throws IOException {
        IOException disk = new IOException("disk");
        repository.failure = disk;
        assertThat(catchThrowable(() -> users.find("a"))).isSameAs(disk);
        assertThat(catchThrowable(() -> users.findAlone("a"))).isSameAs(disk);
        repository.failure = null;

        assertThat(users.find("a")).isEqualTo("old");
    }

    @Test
    void an_error_and_a_refusal_are_not_kept_where_failures_are() {
        repository.failure = new IOException("disk");
        assertThat(catchThrowable(() -> users.findOrRemember("a"))).isSameAs(repository.failure);
        assertThat(catchThrowable(() -> users.findOrRemember("a"))).isSameAs(repository.failure);
        assertThat(repository.reads).hasValue(1);

        repository.refusal = refusal();
        assertThat(catchThrowable(() -> users.findOrRemember("b"))).isSameAs(repository.refusal);
        assertThat(catchThrowable(() -> users.findOrRemember("b"))).isSameAs(repository.refusal);
        assertThat(repository.reads).hasValue(3);

        repository.error = new AssertionError("broken");
        assertThat(catchThrowable(() -> users.findOrRemember("c"))).isSameAs(repository.error);
        assertThat(catchThrowable(() -> users.findOrRemember("c"))).isSameAs(repository.error);
        assertThat(repository.reads).hasValue(5);
    }

    @Test
    void an_error_is_not_answered_with_an_old_value() throws IOException {
        assertThat(users.findOrServeStale("a")).isEqualTo("old");
        assertThat(users.findOrServeStale("b")).isEqualTo("old");
        repository.failure = new IOException("disk");
        assertThat(users.findOrServeStale("a")).isEqualTo("old");
        repository.error = new AssertionError("broken");

        assertThat(catchThrowable(() -> users.findOrServeStale("b"))).isSameAs(repository.error);
    }

    private static RuntimeException refusal() {
        Bulkhead full = Bulkhead.of("full", 1);
        return (RuntimeException) catchThrowable(() -> full.call(() -> full.call(() -> "never")));
    }

    @Test
    void puts_and_evictions_are_seen() throws IOException {
        users.find("a");
        users.save("a", "new");
        assertThat(users.find("a")).isEqualTo("new");
        users.delete("a");
        assertThat(users.find("a")).isNull();
        users.save("a", "newer");
        users.deleteAll();
        assertThat(users.find("a")).isNull();
        assertThat(repository.reads).hasValue(3);
    }

    @Test
    void a_stale_result_is_served_while_the_method_runs_again() throws Exception {
        assertThat(users.findEvenStale("a")).isEqualTo("old");
        repository.row = "new";
        repository.held = true;
        assertThat(users.findEvenStale("a")).isEqualTo("old");
        repository.released.countDown();
        while (!users.findEvenStale("a").equals("new")) {
            Thread.onSpinWait();
        }

        assertThat(repository.reads).hasValueGreaterThan(1);
    }

    @Nested
    class WhileAMethodRuns {
        @Test
        void an_eviction_keeps_its_result_out_of_the_cache() throws Exception {
            repository.held = true;
            FutureTask<String> first = start(() -> users.find("a"));
            repository.reading.await();
            users.delete("a");
            repository.released.countDown();

            assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(users.find("a")).isNull();
        }

        /** What sync = false cannot promise; the page says so. */
        @Test
        void an_eviction_does_not_keep_it_out_without_sync() throws Exception {
            repository.held = true;
            FutureTask<String> first = start(() -> users.findAlone("a"));
            repository.reading.await();
            users.delete("a");
            repository.released.countDown();
            first.get(10, TimeUnit.SECONDS);

            assertThat(users.findAlone("a")).isEqualTo("old");
        }

        @Test
        void an_eviction_keeps_that_of_a_future_out_of_the_cache() throws Exception {
            repository.held = true;
            CompletableFuture<String> first = users.findLater("a");
            repository.reading.await();
            users.delete("a");
            repository.released.countDown();

            assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(users.findLater("a").get(10, TimeUnit.SECONDS)).isNull();
        }
    }

    @Nested
    class Futures {
        @Test
        void are_loaded_once_for_callers_that_ask_together() throws Exception {
            repository.held = true;
            List<CompletableFuture<String>> calls = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                calls.add(users.findLater("a"));
            }
            repository.released.countDown();

            for (CompletableFuture<String> call : calls) {
                assertThat(call.get(10, TimeUnit.SECONDS)).isEqualTo("old");
            }
            assertThat(repository.reads).hasValue(1);
        }

        @Test
        void are_shared_with_methods_that_block() throws Exception {
            assertThat(users.findLater("a").get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(users.find("a")).isEqualTo("old");
            assertThat(repository.reads).hasValue(1);
        }

        @Test
        void may_bring_null_which_is_kept() throws Exception {
            repository.row = null;

            assertThat(users.findLater("a").get(10, TimeUnit.SECONDS)).isNull();
            assertThat(users.findLater("a").get(10, TimeUnit.SECONDS)).isNull();
            assertThat(repository.reads).hasValue(1);
        }

        @Test
        void that_fail_fail_with_what_the_method_failed_with() throws Exception {
            IOException disk = new IOException("disk");
            repository.failure = disk;
            Throwable failure = catchThrowable(() -> users.findLater("a").get(10, TimeUnit.SECONDS));
            assertThat(failure).hasCause(disk);
            repository.failure = null;

            assertThat(users.findLater("a").get(10, TimeUnit.SECONDS)).isEqualTo("old");
        }

        @Test
        void that_are_not_even_returned_for_an_error_or_a_refusal_are_not_kept() throws Exception {
            repository.refusal = refusal();
            for (int i = 1; i <= 2; i++) {
                assertThat(catchThrowable(() -> users.findAtOnceOrRemember("a").get(10, TimeUnit.SECONDS)))
                        .hasCause(repository.refusal);
                assertThat(repository.reads).hasValue(i);
            }
            repository.error = new AssertionError("broken");
            for (int i = 3; i <= 4; i++) {
                assertThat(catchThrowable(() -> users.findAtOnceOrRemember("b").get(10, TimeUnit.SECONDS)))
                        .hasCause(repository.error);
                assertThat(repository.reads).hasValue(i);
            }
        }

        @Test
        void work_without_sync_too() throws Exception {
            assertThat(users.findLaterAlone("a").get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(users.findLaterAlone("a").get(10, TimeUnit.SECONDS)).isEqualTo("old");
            assertThat(repository.reads).hasValue(1);
        }

        @Test
        void work_for_a_mono() {
            Mono<String> mono = users.findReactively("a");
            assertThat(mono.block(Duration.ofSeconds(10))).isEqualTo("old");
            assertThat(users.findReactively("a").block(Duration.ofSeconds(10))).isEqualTo("old");
            assertThat(repository.reads).hasValue(1);
        }
    }
}
