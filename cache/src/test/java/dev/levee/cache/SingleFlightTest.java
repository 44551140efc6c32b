package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Readings;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class SingleFlightTest {
    private static final int WAITERS = 20;

    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> c.totals(true), time.environment());
    private final Stop stop = new Stop();

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(Future<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    private static Throwable failure(Future<?> future) {
        Throwable thrown = catchThrowable(() -> result(future));
        assertThat(thrown).isInstanceOf(ExecutionException.class);
        return thrown.getCause();
    }

    /** A caller that loads "a" and is held in the store. */
    private FutureTask<String> first() throws Exception {
        store.before = operation -> stop.pass();
        FutureTask<String> first = start(() -> cache.get("a"));
        stop.awaitReached();
        return first;
    }

    private List<FutureTask<String>> waiters() {
        List<FutureTask<String>> waiters = new ArrayList<>();
        for (int i = 0; i < WAITERS; i++) {
            waiters.add(start(() -> cache.get("a")));
        }
        time.awaitSleepers(WAITERS);
        return waiters;
    }

    @Nested
    class CallersThatMissTogether {
        @Test
        void shareOneLoad() throws Exception {
            FutureTask<String> first = first();
            List<FutureTask<String>> waiters = waiters();
            assertThat(Readings.of(cache, "cache.loading")).isEqualTo(1.0);
            stop.release();
            assertThat(result(first)).isEqualTo("1");
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isSameAs(result(first));
            }
            assertThat(store.log).containsExactly("load a");
            assertThat(Readings.of(cache, "cache.loads")).isEqualTo(1.0);
            assertThat(Readings.of(cache, "cache.loads.shared")).isEqualTo(WAITERS);
            assertThat(Readings.of(cache, "cache.loading")).isZero();
        }

        @Test
        void shareTheAbsenceOfAValue() throws Exception {
            store.rows.remove("a");
            FutureTask<String> first = first();
            List<FutureTask<String>> waiters = waiters();
            stop.release();
            assertThat(result(first)).isNull();
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isNull();
            }
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void shareAFailureWithAnExceptionForEach() throws Exception {
            IOException disk = new IOException("disk");
            store.after = operation -> {
                throw disk;
            };
            FutureTask<String> first = first();
            List<FutureTask<String>> waiters = waiters();
            stop.release();
            List<Throwable> failures = new ArrayList<>(List.of(failure(first)));
            waiters.forEach(waiter -> failures.add(failure(waiter)));
            assertThat(failures)
                    .doesNotHaveDuplicates()
                    .allSatisfy(failure -> assertThat(failure)
                            .isInstanceOf(StoreException.class)
                            .hasCause(disk));
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void shareARefusalWithACopyForEach() throws Exception {
            Bulkhead full = Bulkhead.of("full", 1);
            store.after = operation -> full.call(() -> full.call(() -> operation));
            FutureTask<String> first = first();
            List<FutureTask<String>> waiters = waiters();
            stop.release();
            List<Throwable> failures = new ArrayList<>(List.of(failure(first)));
            waiters.forEach(waiter -> failures.add(failure(waiter)));
            assertThat(failures)
                    .doesNotHaveDuplicates()
                    .allSatisfy(failure -> assertThat(failure)
                            .isInstanceOfSatisfying(
                                    RefusedException.class,
                                    refused -> assertThat(refused.policy()).isEqualTo("full")));
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void getAnErrorAsTheCauseUnlessTheyLoaded() throws Exception {
            AssertionError broken = new AssertionError("broken");
            store.after = operation -> {
                throw broken;
            };
            FutureTask<String> first = first();
            List<FutureTask<String>> waiters = waiters();
            stop.release();
            assertThat(failure(first)).isSameAs(broken);
            waiters.forEach(waiter -> assertThat(failure(waiter))
                    .isInstanceOf(StoreException.class)
                    .hasCause(broken));
        }

        @Test
        void doNotKeepOthersFromOtherKeys() throws Exception {
            Cache<Integer, Integer> numbers = Cache.of("numbers");
            FutureTask<Integer> slow = start(() -> numbers.get(-1, key -> {
                stop.pass();
                return key;
            }));
            stop.awaitReached();
            for (int i = 0; i < 1_000; i++) {
                assertThat(numbers.get(i, key -> key)).isEqualTo(i);
                numbers.put(i, i);
                numbers.invalidate(i);
            }
            stop.release();
            assertThat(result(slow)).isEqualTo(-1);
        }
    }

    @Nested
    class AWaitingCaller {
        @Test
        void givesUpWhenItsDeadlinePassesAndTheLoadGoesOn() throws Exception {
            FutureTask<String> first = first();
            Deadline deadline =
                    Deadline.after(Duration.ofSeconds(1), time.environment().clock());
            FutureTask<String> waiter =
                    start(() -> CallContext.current().withDeadline(deadline).call(() -> cache.get("a")));
            time.awaitSleepers(1);
            time.advance(Duration.ofNanos(999_999_999));
            assertThat(waiter).isNotDone();
            time.advance(Duration.ofNanos(1));
            assertThat(failure(waiter))
                    .isInstanceOf(StoreException.class)
                    .hasMessageStartingWith("cache \"letters\" could not load in time")
                    .hasCauseInstanceOf(TimeoutException.class);
            stop.release();
            assertThat(result(first)).isEqualTo("1");
            assertThat(cache.getIfPresent("a")).isEqualTo("1");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void givesUpWhenItIsInterruptedAndTheLoadGoesOn() throws Exception {
            FutureTask<String> first = first();
            AtomicBoolean flag = new AtomicBoolean();
            FutureTask<String> waiter = new FutureTask<>(() -> {
                try {
                    return cache.get("a");
                } finally {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            Thread thread = time.start(waiter);
            time.awaitSleepers(1);
            thread.interrupt();
            assertThat(failure(waiter))
                    .isInstanceOf(InterruptedWaitException.class)
                    .hasCauseInstanceOf(InterruptedException.class);
            assertThat(flag).isTrue();
            stop.release();
            assertThat(result(first)).isEqualTo("1");
            assertThat(store.log).containsExactly("load a");
        }

        @Test
        void waitsAgainWhenItWakesForNoReason() throws Exception {
            FutureTask<String> first = first();
            FutureTask<String> waiter = start(() -> cache.get("a"));
            time.awaitSleepers(1);
            time.advance(Duration.ofDays(1)); // lets parked threads go once
            assertThat(waiter).isNotDone();
            stop.release();
            assertThat(result(waiter)).isEqualTo(result(first));
        }

        @Test
        void joinsTheLoadEvenWithALoaderOfItsOwn() throws Exception {
            FutureTask<String> first = first();
            FutureTask<String> waiter = start(() -> cache.get("a", key -> "mine"));
            time.awaitSleepers(1);
            stop.release();
            assertThat(result(first)).isEqualTo("1");
            assertThat(result(waiter)).isEqualTo("1");
        }
    }

    @Nested
    class ALoadingCaller {
        @Test
        void doesNotSpoilItForTheOthersByBeingInterrupted() throws Exception {
            store.before = operation -> stop.pass();
            FutureTask<String> first = new FutureTask<>(() -> cache.get("a"));
            Thread thread = time.start(first);
            stop.awaitReached();
            List<FutureTask<String>> waiters = waiters();
            thread.interrupt();
            assertThat(failure(first))
                    .isInstanceOf(StoreException.class)
                    .hasCauseInstanceOf(InterruptedException.class);
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isEqualTo("1");
            }
            assertThat(store.log).containsExactly("load a", "load a");
        }

        @Test
        void doesNotSpoilItForTheOthersByHavingNoTimeLeft() throws Exception {
            store.before = operation -> {
                stop.pass();
                Deadline deadline = CallContext.current().deadline();
                if (deadline != null && deadline.isExpired()) {
                    throw new IOException("no time left");
                }
            };
            Deadline deadline =
                    Deadline.after(Duration.ofSeconds(1), time.environment().clock());
            FutureTask<String> first =
                    start(() -> CallContext.current().withDeadline(deadline).call(() -> cache.get("a")));
            stop.awaitReached();
            List<FutureTask<String>> waiters = waiters();
            time.advance(Duration.ofSeconds(1));
            stop.release();
            assertThat(failure(first)).hasCauseInstanceOf(IOException.class);
            for (FutureTask<String> waiter : waiters) {
                assertThat(result(waiter)).isEqualTo("1");
            }
            assertThat(store.log).containsExactly("load a", "load a");
        }

        @Test
        void findsAValueThatCameBetweenItsMissAndItsLoad() {
            AtomicReference<Runnable> atNextReading = new AtomicReference<>();
            Environment environment = time.environment().toBuilder()
                    .clock(() -> {
                        Runnable action = atNextReading.getAndSet(null);
                        long now = time.nanoTime();
                        if (action != null) {
                            action.run();
                        }
                        return now;
                    })
                    .build();
            Cache<String, String> cache =
                    Cache.over("letters", store, c -> c.expireAfter(Duration.ofSeconds(1)), environment);
            cache.get("a");
            time.advance(Duration.ofSeconds(1));
            // Runs when the outer get has found the expired entry and not yet looked for a load.
            atNextReading.set(() -> assertThat(cache.get("a")).isEqualTo("1"));
            assertThat(cache.get("a")).isEqualTo("1");
            assertThat(store.log).containsExactly("load a", "load a");
        }
    }

    @Nested
    class LoadsThatNeedEachOther {
        @Test
        void onTwoThreadsFailInsteadOfWaitingForEver() throws Exception {
            ring(2);
        }

        @Test
        void onFiveThreadsFailInsteadOfWaitingForEver() throws Exception {
            ring(5);
        }

        /** Thread i loads key i and needs key i+1, the last one key 0; caches alternate. */
        private void ring(int size) throws Exception {
            List<Cache<Integer, Integer>> caches = List.of(Cache.of("even"), Cache.of("odd"));
            CyclicBarrier allLoading = new CyclicBarrier(size);
            Loader<Integer, Integer> loader = new Loader<>() {
                @Override
                public Integer load(Integer key) throws Exception {
                    if (allLoading.getNumberWaiting() < size) {
                        allLoading.await(10, TimeUnit.SECONDS);
                    }
                    int next = (key + 1) % size;
                    return caches.get(next % 2).get(next, this);
                }
            };
            List<FutureTask<Integer>> loads = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                int key = i;
                loads.add(start(() -> caches.get(key % 2).get(key, loader)));
            }
            for (FutureTask<Integer> load : loads) {
                assertThat(failure(load))
                        .isInstanceOf(StoreException.class)
                        .hasRootCauseInstanceOf(IllegalStateException.class);
            }
            for (int i = 0; i < size; i++) {
                assertThat(caches.get(i % 2).get(i, key -> -key)).isEqualTo(-i);
            }
        }

        @Test
        void inAChainSimplyWait() throws Exception {
            Cache<String, String> chain = Cache.of("chain", c -> {}, time.environment());
            FutureTask<String> c = start(() -> chain.get("c", key -> {
                stop.pass();
                return "3";
            }));
            stop.awaitReached();
            FutureTask<String> b = start(() -> chain.get("b", key -> "2" + chain.get("c", k -> "?")));
            time.awaitSleepers(1);
            FutureTask<String> a = start(() -> chain.get("a", key -> "1" + chain.get("b", k -> "?")));
            time.awaitSleepers(2);
            stop.release();
            assertThat(result(c)).isEqualTo("3");
            assertThat(result(b)).isEqualTo("23");
            assertThat(result(a)).isEqualTo("123");
        }
    }

    @RepeatedTest(3)
    void underRealThreadsNoKeyIsEverLoadedTwiceAtOnce() throws Exception {
        int threads = 4;
        int keys = 8;
        AtomicInteger[] loading = new AtomicInteger[keys];
        for (int i = 0; i < keys; i++) {
            loading[i] = new AtomicInteger();
        }
        AtomicInteger most = new AtomicInteger();
        Cache<Integer, Integer> busy = Cache.over(
                "busy",
                key -> {
                    most.accumulateAndGet(loading[key].incrementAndGet(), Math::max);
                    for (int spin = 0; spin < 50; spin++) {
                        Thread.onSpinWait();
                    }
                    loading[key].decrementAndGet();
                    return key % 3 == 0 ? null : key;
                },
                c -> c.maxSize(4));
        CyclicBarrier together = new CyclicBarrier(threads);
        List<FutureTask<Integer>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int seed = t;
            tasks.add(start(() -> {
                together.await();
                int wrong = 0;
                for (int i = 0; i < 20_000; i++) {
                    int key = (i * 31 + seed) % keys;
                    Integer value = busy.get(key);
                    wrong += (key % 3 == 0 ? value == null : value != null && value == key) ? 0 : 1;
                }
                return wrong;
            }));
        }
        for (FutureTask<Integer> task : tasks) {
            assertThat(task.get(60, TimeUnit.SECONDS)).isZero();
        }
        assertThat(most).hasValue(1);
    }
}
