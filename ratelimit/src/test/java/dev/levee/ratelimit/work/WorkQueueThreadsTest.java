package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.policy.Backoff;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real threads, and sums that must come out. */
class WorkQueueThreadsTest {
    private static final int PRODUCERS = 3;
    private static final int ITEMS = 5_000;

    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final Environment environment =
            Environment.builder().executor(executor).build();

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private void produce(java.util.function.IntConsumer producer) throws Exception {
        CountDownLatch ended = new CountDownLatch(PRODUCERS);
        for (int i = 0; i < PRODUCERS; i++) {
            int number = i;
            executor.execute(() -> {
                try {
                    producer.accept(number);
                } finally {
                    ended.countDown();
                }
            });
        }
        ended.await();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void each_item_is_done_once_through_a_small_queue(int workers) throws Exception {
        AtomicIntegerArray times = new AtomicIntegerArray(PRODUCERS * ITEMS);
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        WorkQueue<Integer> queue = WorkQueue.of(
                "small",
                c -> c.capacity(4)
                        .workers(workers)
                        .whenFull(WhenFull.BLOCK)
                        .maxWait(Duration.ofMinutes(1))
                        .maxAttempts(100)
                        .backoff(Backoff.fixed(Duration.ZERO)),
                (item, attempt) -> {
                    most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                    try {
                        if (ThreadLocalRandom.current().nextInt(50) == 0) {
                            throw new IOException();
                        }
                        times.getAndIncrement(item);
                        return null;
                    } finally {
                        atOnce.decrementAndGet();
                    }
                },
                environment);
        produce(number -> {
            for (int i = 0; i < ITEMS; i++) {
                queue.submit(number * ITEMS + i);
            }
        });
        WorkReport<Integer> report = queue.close(Duration.ofMinutes(1));
        assertThat(report.done()).isEqualTo((long) PRODUCERS * ITEMS);
        for (int i = 0; i < times.length(); i++) {
            assertThat(times.get(i)).isEqualTo(1);
        }
        assertThat(most.get()).isLessThanOrEqualTo(workers);
    }

    @ParameterizedTest
    @EnumSource(WhenFull.class)
    void items_of_a_key_are_done_in_order_and_one_at_a_time(WhenFull whenFull) throws Exception {
        Map<Integer, List<Integer>> orders = new ConcurrentHashMap<>();
        Set<Integer> busy = ConcurrentHashMap.newKeySet();
        LongAdder overlaps = new LongAdder();
        LongAdder accepted = new LongAdder();
        WorkQueue<int[]> queue = WorkQueue.of(
                "ordered",
                c -> c.capacity(8)
                        .workers(3)
                        .whenFull(whenFull)
                        .maxWait(Duration.ofMinutes(1))
                        .maxAttempts(100)
                        .backoff(Backoff.fixed(Duration.ZERO))
                        .orderedBy(item -> item[0]),
                (item, attempt) -> {
                    if (!busy.add(item[0])) {
                        overlaps.increment();
                    }
                    try {
                        if (ThreadLocalRandom.current().nextInt(20) == 0) {
                            throw new IOException();
                        }
                        orders.computeIfAbsent(item[0], ignored -> new ArrayList<>())
                                .add(item[1]);
                        return null;
                    } finally {
                        busy.remove(item[0]);
                    }
                },
                environment);
        produce(number -> {
            for (int i = 0; i < ITEMS / 2; i++) {
                try {
                    queue.submit(new int[] {number, i});
                    accepted.increment();
                } catch (WorkRefusedException full) {
                    Thread.onSpinWait();
                }
            }
        });
        WorkReport<int[]> report = queue.close(Duration.ofMinutes(1));
        assertThat(overlaps.sum()).isZero();
        assertThat(report.done()).isEqualTo(accepted.sum());
        orders.values().forEach(order -> assertThat(order).isSorted().doesNotHaveDuplicates());
        assertThat(((BoundedWorkQueue<int[]>) queue).keys()).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_close_in_the_middle_accounts_for_each_item(boolean ordered) throws Exception {
        for (int round = 0; round < 50; round++) {
            AtomicIntegerArray times = new AtomicIntegerArray(PRODUCERS * ITEMS);
            Set<Integer> accepted = ConcurrentHashMap.newKeySet();
            WorkQueue<Integer> queue = WorkQueue.of(
                    "closing",
                    c -> {
                        c.capacity(16).workers(2).maxAttempts(3).backoff(Backoff.fixed(Duration.ofNanos(10_000)));
                        if (ordered) {
                            c.orderedBy(item -> item % 4);
                        }
                    },
                    (item, attempt) -> {
                        if (item % 7 == 0 && attempt == 1) {
                            throw new IOException();
                        }
                        times.getAndIncrement(item);
                        return null;
                    },
                    environment);
            List<WorkReport<Integer>> reports = new ArrayList<>();
            int closeAt = round * 20;
            produce(number -> {
                for (int i = 0; i < 1_000; i++) {
                    int item = number * ITEMS + i;
                    if (queue.offer(item)) {
                        accepted.add(item);
                    }
                    if (number == 0 && i == closeAt) {
                        reports.add(queue.close(Duration.ZERO));
                    }
                }
            });
            WorkReport<Integer> report = reports.get(0);
            assertThat(report.done()
                            + report.deadLettered()
                            + report.returned().size()
                            + report.unfinished().size())
                    .isEqualTo(accepted.size());
            Map<Integer, Integer> seen = new HashMap<>();
            report.returned().forEach(item -> seen.merge(item, 1, Integer::sum));
            assertThat(seen.values()).allMatch(it -> it == 1);
            assertThat(report.returned()).allMatch(item -> times.get(item) == 0);
            Set<Integer> back = new HashSet<>(report.returned());
            back.addAll(report.unfinished());
            assertThat(accepted).containsAll(back);
        }
    }
}
