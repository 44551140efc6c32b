package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Readings;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Single, bulk and asynchronous reads under real threads, and what a hit of a value with tags costs. */
class ManyThreadsTest {
    private static final int KEYS = 6;
    private static final int CHANGES = 10_000;

    private final AtomicIntegerArray rows = new AtomicIntegerArray(KEYS);
    private final AtomicIntegerArray announced = new AtomicIntegerArray(KEYS);

    /** Rows only grow, one writer each; a reader that begins after a change was announced must not see less. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void no_caller_sees_a_value_that_was_invalidated_before_it_came(boolean gathers) throws Exception {
        BulkLoader<Integer, Integer> store = keys -> {
            Map<Integer, Integer> found = new LinkedHashMap<>();
            keys.forEach(key -> found.put(key, rows.get(key)));
            return found;
        };
        Cache<Integer, Integer> cache = Cache.over("counters", store, c -> {
            c.tags((key, value) -> List.of("t" + key % 2, "v" + value % 3)).maxSize(5);
            if (gathers) {
                c.gather(Duration.ofNanos(50_000), 3);
            }
        });
        CyclicBarrier together = new CyclicBarrier(3);
        AtomicInteger running = new AtomicInteger(1);
        List<FutureTask<Integer>> readers = new ArrayList<>();
        for (int r = 0; r < 2; r++) {
            int kind = r;
            readers.add(start(() -> {
                together.await();
                int stale = 0;
                for (int i = 0; running.get() > 0; i++) {
                    stale += read(cache, i, i + kind) ? 0 : 1;
                }
                return stale;
            }));
        }
        FutureTask<Integer> writer = start(() -> {
            together.await();
            for (int i = 0; i < CHANGES; i++) {
                change(cache, i);
            }
            return running.decrementAndGet();
        });
        writer.get(120, TimeUnit.SECONDS);
        for (FutureTask<Integer> reader : readers) {
            assertThat(reader.get(10, TimeUnit.SECONDS)).isZero();
        }
        assertThat(Readings.of(cache, "cache.loading")).isZero();
    }

    private boolean read(Cache<Integer, Integer> cache, int i, int kind) throws Exception {
        int key = i % KEYS;
        int other = (i + 1) % KEYS;
        int atLeast = announced.get(key);
        int atLeastOther = announced.get(other);
        return switch (kind % 4) {
            case 0 -> cache.get(key) >= atLeast;
            case 1 -> cache.getAsync(key).get(10, TimeUnit.SECONDS) >= atLeast;
            case 2 -> {
                Map<Integer, Integer> both = cache.getAll(List.of(key, other));
                yield both.get(key) >= atLeast && both.get(other) >= atLeastOther;
            }
            default -> {
                Map<Integer, Integer> both =
                        cache.getAllAsync(List.of(key, other)).get(10, TimeUnit.SECONDS);
                yield both.get(key) >= atLeast && both.get(other) >= atLeastOther;
            }
        };
    }

    private void change(Cache<Integer, Integer> cache, int i) {
        int key = i % KEYS;
        int value = rows.incrementAndGet(key);
        switch (i % 5) {
            case 0 -> cache.invalidate(key);
            case 1 -> cache.put(key, value);
            case 2 -> cache.invalidateAll();
            case 3 -> cache.invalidateTag("t" + key % 2);
            default -> cache.invalidateTag("v" + (value - 1) % 3); // the tag of the row before
        }
        announced.set(key, value);
    }

    private static FutureTask<Integer> start(java.util.concurrent.Callable<Integer> call) {
        FutureTask<Integer> task = new FutureTask<>(call);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    @Test
    void a_hit_of_a_value_with_tags_and_a_weight_allocates_nothing() {
        Cache<Integer, String> cache = Cache.over(
                "hot",
                key -> "v" + key,
                c -> c.tags((key, value) -> List.of("a", "b")).maxWeight(1_000, (key, value) -> 1));
        Integer key = 1_000;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(id);
            for (int i = 0; i < 200_000; i++) {
                cache.get(key);
            }
            least = Math.min(least, (threads.getThreadAllocatedBytes(id) - before) / 200_000.0);
        }
        assertThat(least).isLessThan(0.01);
    }
}
