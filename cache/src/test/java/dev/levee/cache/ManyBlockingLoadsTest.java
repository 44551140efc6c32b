package dev.levee.cache;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code getAllAsync} over a loader that blocks and has no call for many keys. */
class ManyBlockingLoadsTest {
    private static final int KEYS = 100;

    private final ManualTime time = new ManualTime();
    private final List<Thread> started = new CopyOnWriteArrayList<>();
    private final AtomicInteger tasks = new AtomicInteger();
    private final Environment threads = time.environment().toBuilder()
            .executor(task -> {
                tasks.incrementAndGet();
                start(task);
            })
            .build();
    private final CountDownLatch released = new CountDownLatch(1);
    private final Semaphore begun = new Semaphore(0);
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger loads = new AtomicInteger();
    private final Cache<Integer, String> cache = Cache.over("many", this::load, c -> {}, threads);

    private Thread start(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        started.add(thread);
        thread.start();
        return thread;
    }

    private String load(Integer key) throws InterruptedException {
        most.accumulateAndGet(running.incrementAndGet(), Math::max);
        loads.incrementAndGet();
        begun.release();
        try {
            released.await();
            return "v" + key;
        } finally {
            running.decrementAndGet();
        }
    }

    @AfterEach
    void letGo() {
        released.countDown();
    }

    private static List<Integer> keys() {
        return IntStream.range(0, KEYS).boxed().toList();
    }

    /** Waits until all threads have ended, those that others start at their end too. */
    private void awaitAllThreads() throws InterruptedException {
        for (int i = 0; i < started.size(); i++) {
            started.get(i).join(10_000);
        }
    }

    private void awaitBegun(int count) throws InterruptedException {
        assertThat(begun.tryAcquire(count, 10, TimeUnit.SECONDS))
                .as("%s loads have begun", count)
                .isTrue();
    }

    private static <T> T result(java.util.concurrent.Future<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    private static Throwable failure(CompletableFuture<?> future) {
        Throwable thrown = catchThrowable(() -> future.get(10, TimeUnit.SECONDS));
        return thrown.getCause() == null ? thrown : thrown.getCause();
    }

    @Test
    void no_more_than_sixteen_loads_of_one_call_run_at_a_time() throws Exception {
        CompletableFuture<Map<Integer, String>> all = cache.getAllAsync(keys());
        awaitBegun(LoadLanes.MAX_LANES);
        assertThat(tasks).hasValue(LoadLanes.MAX_LANES);
        released.countDown();
        assertThat(result(all)).hasSize(KEYS).containsEntry(99, "v99");
        assertThat(result(all).keySet()).containsExactlyElementsOf(keys());
        assertThat(most).hasValue(LoadLanes.MAX_LANES);
        assertThat(loads).hasValue(KEYS);
    }

    @Test
    void few_keys_are_few_tasks_and_what_is_there_is_none() throws Exception {
        released.countDown();
        cache.put(7, "put");
        assertThat(cache.getAllAsync(List.of(7))).isCompletedWithValue(Map.of(7, "put"));
        assertThat(tasks).hasValue(0);
        assertThat(result(cache.getAllAsync(List.of(7, 8)))).isEqualTo(Map.of(7, "put", 8, "v8"));
        assertThat(loads).hasValue(1);
    }

    @Test
    void a_key_that_has_to_wait_is_loaded_by_another_caller_at_once() throws Exception {
        CompletableFuture<Map<Integer, String>> all = cache.getAllAsync(keys());
        awaitBegun(LoadLanes.MAX_LANES);
        assertThat(cache.get(99, key -> "other")).isEqualTo("other");
        released.countDown();
        assertThat(result(all)).hasSize(KEYS).containsEntry(99, "other");
        assertThat(loads).hasValue(KEYS - 1);
    }

    @Test
    void the_deadline_of_the_caller_ends_its_wait_and_what_had_to_wait_is_not_loaded() throws Exception {
        Deadline deadline = Deadline.after(ofSeconds(1), threads.clock());
        CompletableFuture<Map<Integer, String>> all =
                CallContext.current().withDeadline(deadline).call(() -> cache.getAllAsync(keys()));
        awaitBegun(LoadLanes.MAX_LANES);
        time.advance(ofSeconds(1));
        assertThat(failure(all)).isInstanceOf(PartialLoadException.class);
        released.countDown();
        awaitAllThreads();
        assertThat(loads).hasValue(LoadLanes.MAX_LANES);
        assertThat(cache.getIfPresent(0)).isEqualTo("v0");
    }

    @Test
    void what_had_to_wait_is_not_loaded_after_a_cancel() throws Exception {
        CompletableFuture<Map<Integer, String>> all = cache.getAllAsync(keys());
        awaitBegun(LoadLanes.MAX_LANES);
        all.cancel(false);
        released.countDown();
        awaitAllThreads();
        assertThat(loads).hasValue(LoadLanes.MAX_LANES);
    }

    @Test
    void loads_that_never_end_keep_no_others_from_being_loaded_after_their_time_limit() throws Exception {
        Cache<Integer, String> limited = Cache.over(
                "limited",
                key -> key < 40 ? load(key) : "v" + key, // more than can run at a time
                c -> c.loadTimeout(ofSeconds(1)),
                threads);
        CompletableFuture<Map<Integer, String>> all = limited.getAllAsync(keys());
        awaitBegun(LoadLanes.MAX_LANES);
        time.advance(ofSeconds(1));
        awaitBegun(LoadLanes.MAX_LANES);
        time.advance(ofSeconds(1));
        awaitBegun(40 - 2 * LoadLanes.MAX_LANES);
        time.advance(ofSeconds(1));
        assertThat(failure(all)).isInstanceOfSatisfying(PartialLoadException.class, it -> {
            assertThat(it.failures()).hasSize(40);
            assertThat(it.values()).hasSize(60);
        });
    }

    @Test
    void an_executor_that_takes_one_task_loads_one_key_after_the_other() throws Exception {
        released.countDown();
        Environment narrow = time.environment().toBuilder()
                .executor(task -> {
                    if (tasks.incrementAndGet() > 1) {
                        throw new RejectedExecutionException("full");
                    }
                    start(task);
                })
                .build();
        List<Integer> asked = new ArrayList<>();
        Cache<Integer, String> one = Cache.over(
                "one",
                key -> {
                    asked.add(key);
                    return "v" + key;
                },
                c -> {},
                narrow);
        one.getAllAsync(keys());
        awaitAllThreads();
        assertThat(asked).isEqualTo(keys());
    }

    @Test
    void an_executor_that_takes_nothing_fails_all_keys() {
        Environment full = time.environment().toBuilder()
                .executor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build();
        Cache<Integer, String> none = Cache.over("none", this::load, c -> {}, full);
        assertThat(failure(none.getAllAsync(keys())))
                .isInstanceOfSatisfying(
                        PartialLoadException.class,
                        it -> assertThat(it.failures()).hasSize(KEYS));
        assertThat(loads).hasValue(0);
    }

    @Test
    void a_load_that_leaves_an_interrupt_behind_fails_no_other() throws Exception {
        ExecutorService one = Executors.newSingleThreadExecutor();
        try {
            Environment pool = time.environment().toBuilder().executor(one).build();
            Cache<Integer, String> cache = Cache.over(
                    "interrupted",
                    key -> {
                        if (Thread.currentThread().isInterrupted()) {
                            throw new InterruptedException();
                        }
                        Thread.currentThread().interrupt();
                        return "v" + key;
                    },
                    c -> {},
                    pool);
            assertThat(result(cache.getAllAsync(keys()))).hasSize(KEYS);
        } finally {
            one.shutdownNow();
        }
    }

    @Test
    void a_key_whose_load_was_left_by_its_caller_is_loaded_here() throws Exception {
        FutureTask<String> blocking = new FutureTask<>(() -> cache.get(1));
        Thread other = start(blocking);
        awaitBegun(1);
        CompletableFuture<Map<Integer, String>> all = cache.getAllAsync(List.of(1, 2));
        awaitBegun(1); // of 2
        other.interrupt();
        awaitBegun(1);
        released.countDown();
        assertThat(result(all)).isEqualTo(Map.of(1, "v1", 2, "v2"));
    }

    @Test
    void a_clock_that_throws_fails_the_key_and_not_the_others() throws Exception {
        released.countDown();
        AtomicInteger readings = new AtomicInteger();
        Environment broken = time.environment().toBuilder()
                .clock(() -> {
                    if (Thread.currentThread().getName().equals("breaks") && readings.getAndIncrement() == 0) {
                        throw new IllegalStateException("no time");
                    }
                    return time.nanoTime();
                })
                .executor(task -> new Thread(task, "breaks").start())
                .build();
        Cache<Integer, String> cache = Cache.over("broken", key -> "v" + key, c -> {}, broken);
        assertThat(failure(cache.getAllAsync(keys())))
                .isInstanceOfSatisfying(
                        PartialLoadException.class,
                        it -> assertThat(it.failures()).hasSize(1));
    }
}
