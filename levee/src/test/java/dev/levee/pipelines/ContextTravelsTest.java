package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.AsyncLoader;
import dev.levee.cache.BulkLoader;
import dev.levee.cache.Cache;
import dev.levee.cache.CacheConfig;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.ContextCarrier;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.work.WorkQueue;
import dev.levee.ratelimit.work.WorkQueueConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What belongs to the caller's thread is seen by all code of the user that runs for its call, on whatever thread; and
 * each thread has afterwards what it had before, also if that was nothing.
 */
class ContextTravelsTest {
    private static final int THREADS = 6;
    private static final String CALLER = "caller";
    private static final Duration SOON = Duration.ofMillis(1);
    private static final Duration END = Duration.ofSeconds(30);

    /** What a call belongs to. Half of the pool's threads have another value of their own, half have none. */
    private static final ThreadLocal<@Nullable String> TENANT = new ThreadLocal<>();

    private final Pool executor = new Pool();

    /** The threads of a client, on which stages end: they know nothing of the call. */
    private final Pool client = new Pool();

    private final Queue<String> seen = new ConcurrentLinkedQueue<>();
    private final Queue<String> seenByListener = new ConcurrentLinkedQueue<>();
    private final Environment environment = Environment.builder()
            .executor(executor)
            .listener(new SeeingListener())
            .context(new TenantCarrier())
            .build();

    private static final class TenantCarrier implements ContextCarrier {
        @Override
        public Captured capture() {
            String captured = TENANT.get();
            return () -> {
                String before = TENANT.get();
                TENANT.set(captured);
                return () -> {
                    if (before == null) {
                        TENANT.remove();
                    } else {
                        TENANT.set(before);
                    }
                };
            };
        }
    }

    /** Checks after each task that its thread has what it had before. */
    private static final class Pool implements Executor {
        final ExecutorService threads;
        final Map<String, String> own = new ConcurrentHashMap<>();
        final Queue<String> leaks = new ConcurrentLinkedQueue<>();

        Pool() {
            AtomicInteger number = new AtomicInteger();
            threads = Executors.newFixedThreadPool(THREADS, task -> {
                int odd = number.incrementAndGet() % 2;
                Thread thread = new Thread(() -> {
                    if (odd == 1) {
                        TENANT.set("stranger");
                    }
                    task.run();
                });
                thread.setDaemon(true);
                own.put(thread.getName(), odd == 1 ? "stranger" : "null");
                return thread;
            });
        }

        @Override
        public void execute(Runnable task) {
            threads.execute(() -> {
                try {
                    task.run();
                } finally {
                    probe();
                }
            });
        }

        private void probe() {
            String name = Thread.currentThread().getName();
            if (!String.valueOf(TENANT.get()).equals(own.get(name))) {
                leaks.add(name + " has " + TENANT.get() + " instead of " + own.get(name));
            }
        }

        /** Runs a probe task on every thread. */
        void probeAll() throws Exception {
            CyclicBarrier all = new CyclicBarrier(THREADS);
            List<Future<?>> probes = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                probes.add(threads.submit(() -> {
                    all.await(30, TimeUnit.SECONDS);
                    probe();
                    return null;
                }));
            }
            for (Future<?> probe : probes) {
                probe.get(30, TimeUnit.SECONDS);
            }
            assertThat(own).hasSize(THREADS);
            assertThat(leaks).isEmpty();
        }
    }

    private final class SeeingListener implements Listener {
        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            seenByListener.add("refused: " + TENANT.get());
        }

        @Override
        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
            seenByListener.add("outcome: " + TENANT.get());
        }

        @Override
        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
            seenByListener.add("attempt: " + TENANT.get());
        }

        @Override
        public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
            seenByListener.add("degraded: " + TENANT.get());
        }
    }

    @AfterEach
    void end() {
        TENANT.remove();
        executor.threads.shutdownNow();
        client.threads.shutdownNow();
    }

    private void see(String where) {
        seen.add(where + ": " + TENANT.get());
    }

    private <T> CompletableFuture<T> failing() {
        CompletableFuture<T> stage = new CompletableFuture<>();
        client.execute(() -> stage.completeExceptionally(new IOException("down")));
        return stage;
    }

    private CompletableFuture<String> answering() {
        return CompletableFuture.supplyAsync(() -> "answer", client);
    }

    /** An attempt that fails twice, and spoils what its thread has. */
    private CompletableFuture<String> flaky(AtomicInteger attempts) {
        int number = attempts.incrementAndGet();
        see("attempt " + number);
        if (number < 3) {
            return failing();
        }
        return answering();
    }

    private OutcomeRule seeingRule() {
        return (result, error) -> {
            see("rule");
            return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
        };
    }

    private Retry retry() {
        return Retry.of(
                "retry",
                config -> config.maxAttempts(3)
                        .backoff(Backoff.fixed(SOON))
                        .budget(RetryBudget.unlimited())
                        .outcomes(seeingRule()),
                environment);
    }

    private Hedge hedge(Duration delay) {
        return Hedge.of(
                "hedge", config -> config.maxAttempts(3).delay(delay).budget(RetryBudget.unlimited()), environment);
    }

    /** Runs a call as its caller. */
    @FunctionalInterface
    private interface Place {
        void run(ContextTravelsTest world) throws Exception;
    }

    private static Arguments place(String name, Place place) {
        return Arguments.of(name, place);
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(30, TimeUnit.SECONDS);
    }

    static Stream<Arguments> places() {
        return Stream.of(
                place("asynchronous retry", ContextTravelsTest::asynchronousRetry),
                place("retry on an executor", ContextTravelsTest::retryOnAnExecutor),
                place("attempt that clears", ContextTravelsTest::attemptThatClears),
                place("asynchronous hedge", ContextTravelsTest::asynchronousHedge),
                place("blocking hedge", ContextTravelsTest::blockingHedge),
                place("timeout on an executor", ContextTravelsTest::timeoutOnAnExecutor),
                place("fallback", ContextTravelsTest::fallback),
                place("fallback around timeout", ContextTravelsTest::fallbackAroundTimeout),
                place("queue of a bulkhead", ContextTravelsTest::queueOfABulkhead),
                place("queue of a shedding bulkhead", ContextTravelsTest::queueOfASheddingBulkhead),
                place("wait at a limiter", ContextTravelsTest::waitAtALimiter),
                place("gates of a stage", ContextTravelsTest::gatesOfAStage),
                place("faults", ContextTravelsTest::faults),
                place("idempotency", ContextTravelsTest::idempotency),
                place("wait of idempotency", ContextTravelsTest::waitOfIdempotency),
                place("balancer", ContextTravelsTest::balancer),
                place("work queue", ContextTravelsTest::workQueue),
                place("ordered work queue with stages", ContextTravelsTest::orderedWorkQueueWithStages),
                place("asynchronous load", ContextTravelsTest::asynchronousLoad),
                place("load with a limit", ContextTravelsTest::loadWithALimit),
                place("load by stages", ContextTravelsTest::loadByStages),
                place("load whose stage ends at the client", ContextTravelsTest::loadWhoseStageEndsAtTheClient),
                place("refresh", ContextTravelsTest::refresh),
                place("gathered loads", ContextTravelsTest::gatheredLoads),
                place("loads of many keys", ContextTravelsTest::loadsOfManyKeys));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void the_callers_value_is_seen_everywhere_and_stays_nowhere(String name, Place place) throws Exception {
        TENANT.set(CALLER);

        place.run(this);

        assertThat(TENANT.get()).isEqualTo(CALLER);
        assertThat(seen).isNotEmpty().allMatch(line -> line.endsWith(": " + CALLER));
        assertThat(seenByListener).allMatch(line -> line.endsWith(": " + CALLER));
        executor.probeAll();
        client.probeAll();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("places")
    void a_caller_that_has_none_gives_none(String name, Place place) throws Exception {
        place.run(this);

        assertThat(TENANT.get()).isNull();
        assertThat(seen).isNotEmpty().allMatch(line -> line.endsWith(": null"));
        assertThat(seenByListener).allMatch(line -> line.endsWith(": null"));
        executor.probeAll();
        client.probeAll();
    }

    private void asynchronousRetry() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        assertThat(get(retry().callAsync(() -> flaky(attempts)))).isEqualTo("answer");
        assertThat(seen).contains("attempt 1: " + TENANT.get(), "attempt 2: " + TENANT.get());
        assertThat(seen).contains("attempt 3: " + TENANT.get());
        assertThat(seenByListener).hasSize(2);
    }

    private void retryOnAnExecutor() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        String answer = get(retry().callAsync(executor, () -> {
            see("attempt");
            if (attempts.incrementAndGet() < 3) {
                throw new IOException("down");
            }
            return "answer";
        }));
        assertThat(answer).isEqualTo("answer");
    }

    /** As MDC.clear() at the end of a handler does. */
    private void attemptThatClears() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        String before = TENANT.get();
        get(retry().callAsync(() -> {
            CompletableFuture<String> stage = flaky(attempts);
            TENANT.set("spoilt");
            return stage;
        }));
        if (before == null) {
            TENANT.remove();
        } else {
            TENANT.set(before);
        }
        assertThat(attempts).hasValue(3);
    }

    private void asynchronousHedge() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        get(Pipeline.of(hedge(SOON), breaker()).callAsync(() -> {
            int number = attempts.incrementAndGet();
            see("attempt " + number);
            return number < 3 ? new CompletableFuture<String>() : answering();
        }));
        assertThat(attempts).hasValue(3);
    }

    private void blockingHedge() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        CountDownLatch third = new CountDownLatch(1);
        hedge(SOON).callInterruptibly(() -> {
            see("attempt");
            if (attempts.incrementAndGet() < 3) {
                third.await();
            }
            third.countDown();
            return "answer";
        });
        assertThat(attempts).hasValue(3);
    }

    private void timeoutOnAnExecutor() throws Exception {
        Timeout timeout = Timeout.of("timeout", END, environment).onExecutor(executor);
        Pipeline pipeline = Pipeline.of(retry(), timeout, breaker());
        AtomicInteger attempts = new AtomicInteger();
        pipeline.run(() -> {
            see("attempt");
            if (attempts.incrementAndGet() < 3) {
                throw new IOException("down");
            }
        });
        assertThat(attempts).hasValue(3);
    }

    private void fallback() throws Exception {
        Fallback fallback = Fallback.chain(
                "fallback",
                config -> config.when(error -> {
                            see("condition");
                            return true;
                        })
                        .thenAsync("first", error -> {
                            see("first source");
                            return failing();
                        })
                        .then("second", error -> {
                            see("second source");
                            return "substitute";
                        }),
                environment);
        AtomicInteger attempts = new AtomicInteger();
        Retry twice = Retry.of("retry", config -> config.maxAttempts(2).backoff(Backoff.fixed(SOON)), environment);
        assertThat(get(Pipeline.of(fallback, twice).callAsync(() -> flaky(attempts))))
                .isEqualTo("substitute");
        assertThat(seen).hasSize(5);
    }

    private void fallbackAroundTimeout() throws Exception {
        Fallback fallback = Fallback.chain(
                "fallback",
                config -> config.then("source", error -> {
                    see("source");
                    return "substitute";
                }),
                environment);
        Timeout timeout = Timeout.of("timeout", Duration.ofMillis(5), environment);
        assertThat(get(Pipeline.of(fallback, timeout).callAsync(() -> {
                    see("attempt");
                    return new CompletableFuture<String>();
                })))
                .isEqualTo("substitute");
    }

    private CircuitBreaker breaker() {
        return CircuitBreaker.of("breaker", config -> config.outcomes(seeingRule()), environment);
    }

    private void queueAt(Policy gate) throws Exception {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> holding = gate.callAsync(() -> first);
        CompletableFuture<String> waiting = Pipeline.of(gate, breaker()).callAsync(() -> {
            see("after the wait");
            return answering();
        });
        assertThat(seen).isEmpty();
        client.execute(() -> first.complete("first"));
        get(holding);
        get(waiting);
    }

    private void queueOfABulkhead() throws Exception {
        queueAt(Bulkhead.of("bulkhead", config -> config.maxConcurrent(1).queue(1, END), environment));
    }

    private void queueOfASheddingBulkhead() throws Exception {
        queueAt(SheddingBulkhead.of("bulkhead", config -> config.maxConcurrent(1), environment));
    }

    private void waitAtALimiter() throws Exception {
        RateLimiter limiter = RateLimiter.of(
                "limiter",
                config -> config.limit(Limit.of(1, Duration.ofMillis(20))).maxWait(END),
                environment);
        AtomicInteger calls = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            get(limiter.callAsync(() -> {
                see("call " + calls.incrementAndGet());
                return answering();
            }));
        }
        assertThat(calls).hasValue(3);
    }

    /** Rules and listeners of gates, where the stage ends on a thread of the client. */
    private void gatesOfAStage() throws Exception {
        get(Pipeline.of(breaker(), Bulkhead.of("bulkhead", 3, environment)).callAsync(this::answering));
        assertThat(seen).isNotEmpty();
        assertThat(seenByListener).hasSize(2);
    }

    private void faults() throws Exception {
        Faults faults = Faults.of("faults", environment, Fault.latency(Duration.ofMillis(2)));
        faults.switchOn();
        get(faults.callAsync(() -> {
            see("after the delay");
            return answering();
        }));
    }

    @SuppressWarnings("unchecked") // the interface is given
    private IdempotencyStore<String> seeingStore() {
        IdempotencyStore<String> store = IdempotencyStore.inMemory(100, END, environment);
        return (IdempotencyStore<String>) java.lang.reflect.Proxy.newProxyInstance(
                ContextTravelsTest.class.getClassLoader(),
                new Class<?>[] {IdempotencyStore.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("blocks")) {
                        return true;
                    }
                    if (!method.isDefault()) {
                        see(method.getName());
                    }
                    return method.invoke(store, arguments);
                });
    }

    private void idempotency() throws Exception {
        Idempotency<String> once = Idempotency.of("orders", seeingStore(), config -> {}, environment);
        get(once.callAsync("key", "print", () -> {
            see("operation");
            return answering();
        }));
    }

    /** The second call of a key waits for the first, which fails; then it runs itself. */
    private void waitOfIdempotency() throws Exception {
        Idempotency<String> once = Idempotency.of("orders", config -> {}, environment);
        CompletableFuture<String> running = new CompletableFuture<>();
        CompletableFuture<String> first = once.callAsync("key", "print", () -> running);
        CompletableFuture<String> second = once.callAsync("key", "print", () -> {
            see("second");
            return answering();
        });
        client.execute(() -> running.completeExceptionally(new java.net.ConnectException("refused")));
        assertThat(first).failsWithin(END);
        try {
            get(second);
        } catch (java.util.concurrent.ExecutionException known) {
            see("ended");
        }
    }

    private void balancer() throws Exception {
        LoadBalancer<String> balancer = LoadBalancer.of(
                "balancer",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(Endpoint.of("a"), Endpoint.of("b"))),
                LoadBalancerConfig.<String>builder()
                        .gatePerEndpoint(endpoint -> breaker())
                        .build(),
                environment);
        get(balancer.callAsync(address -> {
            see("exchange");
            return answering();
        }));
        balancer.close();
        assertThat(seen).anyMatch(line -> line.startsWith("rule"));
    }

    private void await(CountDownLatch ended) throws InterruptedException {
        assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    }

    private void workQueue() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        WorkQueue<String> queue = WorkQueue.of(
                "work",
                WorkQueueConfig.<String>builder()
                        .workers(2)
                        .maxAttempts(3)
                        .budget(RetryBudget.unlimited())
                        .backoff(Backoff.fixed(SOON))
                        .build(),
                (item, attempt) -> {
                    see("attempt " + attempt);
                    if (attempt < 3) {
                        throw new IOException("down");
                    }
                    ended.countDown();
                    return null;
                },
                environment);
        queue.submit("item");
        await(ended);
        queue.close(END);
        assertThat(seen).hasSize(3);
    }

    private void orderedWorkQueueWithStages() throws Exception {
        CountDownLatch ended = new CountDownLatch(2);
        WorkQueue<String> queue = WorkQueue.of(
                "work",
                WorkQueueConfig.<String>builder()
                        .workers(2)
                        .maxAttempts(3)
                        .budget(RetryBudget.unlimited())
                        .backoff(Backoff.fixed(SOON))
                        .outcomes(seeingRule())
                        .orderedBy(Function.identity())
                        .build(),
                (item, attempt) -> {
                    see("attempt " + attempt);
                    if (attempt < 3) {
                        return failing();
                    }
                    ended.countDown();
                    return answering();
                },
                environment);
        queue.submit("item");
        queue.submit("item");
        await(ended);
        queue.close(END);
    }

    private <V> CacheConfig.Builder<String, V> settings() {
        return CacheConfig.<String, V>builder().expireAfter((key, value) -> {
            see("expiry");
            return END;
        });
    }

    private String load(String key) {
        see("load of " + key);
        return key + "!";
    }

    private void asynchronousLoad() throws Exception {
        try (Cache<String, String> cache =
                Cache.over("cache", this::load, this.<String>settings().build(), environment)) {
            assertThat(get(cache.getAsync("a"))).isEqualTo("a!");
        }
    }

    private void loadWithALimit() {
        CacheConfig<String, String> limited =
                this.<String>settings().loadTimeout(END).build();
        try (Cache<String, String> cache = Cache.over("cache", this::load, limited, environment)) {
            assertThat(cache.get("a")).isEqualTo("a!");
        }
    }

    private void loadByStages() throws Exception {
        AsyncLoader<String, String> loader = (key, part) -> {
            see("load");
            return answering()
                    .thenApplyAsync(
                            found -> {
                                see("part");
                                return found;
                            },
                            part);
        };
        try (Cache<String, String> cache =
                Cache.over("cache", loader, this.<String>settings().build(), environment)) {
            assertThat(get(cache.getAsync("a"))).isEqualTo("answer");
        }
    }

    private void loadWhoseStageEndsAtTheClient() throws Exception {
        AsyncLoader<String, String> loader = (key, part) -> {
            CompletableFuture<String> stage = new CompletableFuture<>();
            client.execute(() -> stage.complete("answer"));
            return stage;
        };
        try (Cache<String, String> cache =
                Cache.over("cache", loader, this.<String>settings().build(), environment)) {
            assertThat(get(cache.getAsync("a"))).isEqualTo("answer");
        }
        assertThat(seen).allMatch(line -> line.startsWith("expiry"));
    }

    private void refresh() throws Exception {
        CountDownLatch twice = new CountDownLatch(2);
        try (Cache<String, String> cache = Cache.over(
                "cache",
                key -> {
                    load(key);
                    twice.countDown();
                    return key;
                },
                this.<String>settings().build(),
                environment)) {
            cache.get("a");
            assertThat(cache.refresh("a")).isTrue();
            await(twice);
        }
    }

    private void gatheredLoads() throws Exception {
        BulkLoader<String, String> loader = keys -> loadAll(keys);
        CacheConfig<String, String> gathering =
                this.<String>settings().gather(Duration.ofMillis(5), 100).build();
        try (Cache<String, String> cache = Cache.over("cache", loader, gathering, environment)) {
            CompletableFuture<String> first = cache.getAsync("a");
            CompletableFuture<String> second = cache.getAsync("b");
            assertThat(get(first) + get(second)).isEqualTo("a!b!");
        }
    }

    private Map<String, String> loadAll(Set<String> keys) {
        Map<String, String> loaded = new ConcurrentHashMap<>();
        keys.forEach(key -> loaded.put(key, load(key)));
        return loaded;
    }

    private void loadsOfManyKeys() throws Exception {
        BulkLoader<String, String> loader = this::loadAll;
        try (Cache<String, String> cache =
                Cache.over("cache", loader, this.<String>settings().build(), environment)) {
            assertThat(get(cache.getAllAsync(List.of("a", "b")))).hasSize(2);
        } catch (CompletionException thrown) {
            throw new AssertionError(thrown);
        }
    }
}
