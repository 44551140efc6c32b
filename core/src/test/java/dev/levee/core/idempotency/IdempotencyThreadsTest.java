package dev.levee.core.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Callers that race, on real threads. */
class IdempotencyThreadsTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 200;

    @Test
    void one_of_many_callers_runs_the_operation_and_all_get_its_result() throws Exception {
        Environment environment = Environment.system();
        IdempotencyStore<String> store = IdempotencyStore.inMemory(10_000, Duration.ofHours(1), environment);
        // Two of one process, and two others: those meet in the store only.
        List<Idempotency<String>> processes = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            processes.add(Idempotency.of(
                    "pay",
                    store,
                    config -> config.maxWait(Duration.ofSeconds(60)).pollEvery(Duration.ofNanos(100_000)),
                    environment));
        }
        AtomicInteger[] runs = new AtomicInteger[ROUNDS];
        AtomicInteger[] failures = new AtomicInteger[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            runs[round] = new AtomicInteger();
            failures[round] = new AtomicInteger();
        }
        CyclicBarrier barrier = new CyclicBarrier(THREADS);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<String[]>> futures = new ArrayList<>();
            for (int number = 0; number < THREADS; number++) {
                Idempotency<String> idempotency = processes.get(number % processes.size());
                boolean async = number % 2 == 1;
                futures.add(threads.submit(() -> {
                    String[] results = new String[ROUNDS];
                    for (int round = 0; round < ROUNDS; round++) {
                        int key = round;
                        barrier.await();
                        do {
                            try {
                                Operation<String, ConnectException> operation = () -> {
                                    if (key % 3 == 0 && failures[key].incrementAndGet() <= 2) {
                                        throw new ConnectException("nothing was done");
                                    }
                                    return key + " by run " + runs[key].incrementAndGet();
                                };
                                results[round] = async
                                        ? idempotency
                                                .callAsync("k" + key, "p", () -> {
                                                    try {
                                                        return CompletableFuture.completedFuture(operation.run());
                                                    } catch (ConnectException e) {
                                                        return CompletableFuture.failedFuture(e);
                                                    }
                                                })
                                                .join()
                                        : idempotency.call("k" + key, "p", operation);
                            } catch (ConnectException | java.util.concurrent.CompletionException again) {
                                // As its client would: the same key once more.
                            }
                        } while (results[round] == null);
                    }
                    return results;
                }));
            }
            for (Future<String[]> future : futures) {
                String[] results = future.get();
                for (int round = 0; round < ROUNDS; round++) {
                    assertThat(results[round]).isEqualTo(round + " by run 1");
                }
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(runs).allSatisfy(run -> assertThat(run).hasValue(1));
        assertThat(processes)
                .allSatisfy(process -> assertThat(((StoredIdempotency<String>) process).pendingCalls)
                        .isEmpty());
    }

    @Test
    void nothing_runs_twice_unless_the_check_has_said_so() throws Exception {
        Environment environment = Environment.system();
        IdempotencyStore<String> store = IdempotencyStore.inMemory(10_000, Duration.ofHours(1), environment);
        AtomicInteger[] effects = new AtomicInteger[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            effects[round] = new AtomicInteger();
        }
        Idempotency<String> idempotency = Idempotency.of(
                "pay",
                store,
                config -> config.maxWait(Duration.ofSeconds(60)).check(key -> {
                    int round = Integer.parseInt(key);
                    return effects[round].get() > 0
                            ? OutcomeCheck.Finding.done("done")
                            : OutcomeCheck.Finding.notDone();
                }),
                environment);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        CyclicBarrier barrier = new CyclicBarrier(THREADS);
        try {
            List<Future<?>> futures = new ArrayList<>();
            for (int number = 0; number < THREADS; number++) {
                Random random = new Random(number);
                futures.add(threads.submit(() -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        int key = round;
                        barrier.await();
                        for (boolean done = false; !done; ) {
                            try {
                                idempotency.call(Integer.toString(key), "p", () -> {
                                    if (random.nextInt(3) == 0) {
                                        throw new SocketTimeoutException("before it was done");
                                    }
                                    effects[key].incrementAndGet();
                                    if (random.nextBoolean()) {
                                        throw new SocketTimeoutException("after it was done");
                                    }
                                    return "done";
                                });
                                done = true;
                            } catch (SocketTimeoutException again) {
                                // As its client would: the same key once more.
                            }
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> future : futures) {
                future.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(effects).allSatisfy(effect -> assertThat(effect).hasValue(1));
    }
}
