package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/**
 * A {@code get} that begins after {@code invalidateAll} has returned sees nothing from before, nor what has expired.
 */
class ClearingTest {
    private final Stop found = new Stop();
    private final AtomicReference<Runnable> beforeLoad = new AtomicReference<>(() -> {});
    private final AtomicBoolean parksWhereFound = new AtomicBoolean();
    private final ManualTime time = new ManualTime();

    private final Cache<Key, String> cache = new LocalCache<>(
            "letters",
            null,
            CacheConfig.<Key, String>builder()
                    .expireAfter(Duration.ofSeconds(10))
                    .build(),
            time.environment(),
            Parking::new);

    /** Parks the load that has found an entry, before it ends. */
    private final class Parking extends InFlight<Key, String> {
        Parking(Entries<Key, String> entries) {
            super(entries);
        }

        @Override
        PendingLoad<String> startLoad(Key key, PendingLoad<String> candidate) {
            beforeLoad.getAndSet(() -> {}).run();
            return super.startLoad(key, candidate);
        }

        @Override
        void endLoad(Key key, PendingLoad<String> ended, CacheEntry<String> entry) {
            if (entry == null && parksWhereFound.getAndSet(false)) {
                passUnchecked(found);
            }
            super.endLoad(key, ended, entry);
        }
    }

    /** A key that can do something when a table asks for its hash. */
    private static final class Key {
        private final int hash;
        private Runnable whenAsked = () -> {};

        Key(int hash) {
            this.hash = hash;
        }

        @Override
        public int hashCode() {
            Runnable run = whenAsked;
            whenAsked = () -> {};
            run.run();
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    private static void passUnchecked(Stop stop) {
        try {
            stop.pass();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
    }

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    /** Starts a call that misses, then finds the entry of an earlier load, and parks there. */
    private FutureTask<String> callThatFindsAnEntry(Key key) {
        beforeLoad.set(() -> cache.put(key, "old"));
        parksWhereFound.set(true);
        FutureTask<String> call = start(() -> cache.get(key, k -> "loaded"));
        try {
            found.awaitReached();
        } catch (Exception failure) {
            throw new AssertionError(failure);
        }
        return call;
    }

    private void awaitDoneOrWaiting(FutureTask<?> call) {
        while (!call.isDone() && time.sleepers() == 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void an_entry_that_another_call_found_while_all_were_dropped_is_not_shared_afterwards() throws Exception {
        Key key = new Key(0);
        Key later = new Key(1);
        Stop loading = new Stop();
        FutureTask<String> busy = start(() -> cache.get(later, k -> {
            loading.pass();
            return "busy";
        }));
        loading.awaitReached();
        AtomicReference<FutureTask<String>> first = new AtomicReference<>();
        // If the table is walked, the other call joins when it has passed its key; else before.
        later.whenAsked = () -> first.set(callThatFindsAnEntry(key));
        cache.invalidateAll();
        later.whenAsked = () -> {};
        FutureTask<String> second = start(() -> cache.get(key, k -> "new"));
        awaitDoneOrWaiting(second);
        found.release();
        loading.release();
        busy.get();
        assertThat(second.get()).isEqualTo("new");
    }

    @Test
    void an_entry_that_another_call_found_just_before_it_expired_is_not_shared_afterwards() throws Exception {
        Key key = new Key(0);
        FutureTask<String> first = callThatFindsAnEntry(key);
        time.advance(Duration.ofSeconds(10));
        FutureTask<String> second = start(() -> cache.get(key, k -> "new"));
        awaitDoneOrWaiting(second);
        found.release();
        assertThat(first.get()).isEqualTo("old");
        assertThat(second.get()).isEqualTo("new");
    }

    /** Values only grow, and each is written before all are dropped; readers of one key meet at every moment. */
    @Test
    void under_load_nothing_from_before_is_seen_afterwards() throws Exception {
        AtomicInteger row = new AtomicInteger();
        Cache<Integer, Integer> counter = Cache.over("counter", key -> row.get());
        AtomicInteger dropped = new AtomicInteger();
        AtomicBoolean running = new AtomicBoolean(true);
        CyclicBarrier together = new CyclicBarrier(4);
        List<FutureTask<Integer>> readers = new ArrayList<>();
        for (int reader = 0; reader < 3; reader++) {
            readers.add(start(() -> {
                together.await();
                int stale = 0;
                while (running.get()) {
                    int atLeast = dropped.get();
                    Integer value = counter.get(1);
                    stale += value != null && value >= atLeast ? 0 : 1;
                }
                return stale;
            }));
        }
        together.await();
        for (int round = 0; round < 60_000; round++) {
            int value = row.incrementAndGet();
            counter.invalidateAll();
            dropped.set(value);
        }
        running.set(false);
        for (FutureTask<Integer> reader : readers) {
            assertThat(reader.get()).isZero();
        }
    }
}
