package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Readings;
import dev.levee.core.RefusedException;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class WriteThroughTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "old");
    private final Cache<String, String> cache = Cache.over("letters", store, c -> c.writeThrough(), time.environment());
    private final Stop stop = new Stop();

    private <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        time.start(task);
        return task;
    }

    private static <T> T result(FutureTask<T> task) throws Exception {
        return task.get(10, TimeUnit.SECONDS);
    }

    private Callable<Void> put(String key, String value) {
        return () -> {
            cache.put(key, value);
            return null;
        };
    }

    /** A put whose value the store already has, but which has not returned. */
    private FutureTask<Void> putThatHasSaved(String value) throws Exception {
        store.after = operation -> {
            if (operation.equals("save a " + value)) {
                stop.pass();
            }
        };
        FutureTask<Void> put = start(put("a", value));
        stop.awaitReached();
        return put;
    }

    @AfterEach
    void nothingStaysInFlight() {
        assertThat(Readings.of(cache, "cache.loading")).isZero();
    }

    @Nested
    class AWrite {
        @Test
        void goesToTheStoreFirstAndThenToTheCache() {
            cache.get("a");
            store.after = operation -> assertThat(cache.getIfPresent("a")).isEqualTo("old");
            cache.put("a", "new");
            assertThat(store.rows).containsEntry("a", "new");
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
            assertThat(store.log).containsExactly("load a", "save a new");
        }

        @Test
        void ofADeletionLeavesNothingInEither() {
            cache.get("a");
            store.after = operation -> assertThat(cache.getIfPresent("a")).isEqualTo("old");
            cache.remove("a");
            assertThat(store.rows).isEmpty();
            store.after = operation -> {};
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void isNotUndoneByALoadThatReadTheOldValue() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> load = start(() -> cache.get("a"));
            stop.awaitReached();
            cache.put("a", "new");
            stop.release();
            assertThat(result(load)).isEqualTo("old");
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(store.log).containsExactly("load a", "save a new");
        }

        @Test
        void isNotUndoneByALoadThatBeganAndEndedMeanwhile() throws Exception {
            store.before = operation -> {
                if (operation.startsWith("save")) {
                    stop.pass();
                }
            };
            FutureTask<Void> put = start(put("a", "new"));
            stop.awaitReached();
            assertThat(cache.get("a")).isEqualTo("old");
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
            stop.release();
            result(put);
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
        }

        @Test
        void doesNotStopReadersOfItsKeyOrOthers() throws Exception {
            cache.get("a");
            FutureTask<Void> put = putThatHasSaved("new");
            assertThat(cache.get("a")).isEqualTo("old");
            assertThat(cache.get("b")).isNull();
            stop.release();
            result(put);
        }

        @Test
        void mayComeFromAStoreThatUsesTheCache() {
            store.before = operation -> {
                if (operation.equals("save a new")) {
                    assertThat(cache.get("a")).isEqualTo("old");
                    cache.put("b", "2");
                }
            };
            cache.put("a", "new");
            assertThat(cache.getIfPresent("a")).isEqualTo("new");
            assertThat(cache.getIfPresent("b")).isEqualTo("2");
        }
    }

    @Nested
    class AFailedWrite {
        private final IOException disk = new IOException("disk");

        @Test
        void throwsAndLeavesTheCacheWithoutTheOldValue() {
            cache.get("a");
            store.before = operation -> {
                throw disk;
            };
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(() -> cache.put("a", "new"))
                    .withMessage("cache \"letters\" could not save: java.io.IOException: disk")
                    .withCause(disk);
            assertThat(cache.getIfPresent("a")).isNull();
            store.before = operation -> {};
            assertThat(cache.get("a")).isEqualTo("old");
        }

        @Test
        void thatReachedTheStoreAllTheSameIsSeenByTheNextReader() {
            cache.get("a");
            store.after = operation -> {
                throw disk;
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.put("a", "new"));
            store.after = operation -> {};
            assertThat(cache.get("a")).isEqualTo("new");
        }

        @Test
        void ofADeletionLeavesTheCacheWithoutTheOldValueToo() {
            cache.get("a");
            store.after = operation -> {
                throw disk;
            };
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(() -> cache.remove("a"))
                    .withMessage("cache \"letters\" could not delete: java.io.IOException: disk");
            store.after = operation -> {};
            assertThat(cache.get("a")).isNull();
        }

        @Test
        void takesAwayTheRightOfLoadsThatBeganBeforeItEnded() throws Exception {
            store.after = operation -> stop.pass();
            FutureTask<String> load = start(() -> cache.get("a"));
            stop.awaitReached();
            store.after = operation -> {
                throw disk;
            };
            assertThatExceptionOfType(StoreException.class).isThrownBy(() -> cache.put("a", "new"));
            stop.release();
            assertThat(result(load)).isEqualTo("old");
            store.after = operation -> {};
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("new");
        }

        @Test
        void thatAPolicyRefusedThrowsTheRefusal() {
            cache.get("a");
            Bulkhead full = Bulkhead.of("full", 1);
            store.before = operation -> full.call(() -> full.call(() -> operation));
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isInstanceOf(RefusedException.class);
            assertThat(cache.getIfPresent("a")).isEqualTo("old");
        }

        @Test
        void byAnErrorThrowsTheErrorAndLeavesNoValue() {
            cache.get("a");
            AssertionError broken = new AssertionError("broken");
            store.before = operation -> {
                throw broken;
            };
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isSameAs(broken);
            assertThat(cache.getIfPresent("a")).isNull();
        }

        @Test
        void byAnInterruptSetsTheFlagAgain() {
            store.before = operation -> {
                throw new InterruptedException();
            };
            assertThat(catchThrowable(() -> cache.put("a", "new"))).isInstanceOf(StoreException.class);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Nested
    class OverlappingChanges {
        @Test
        void twoWritesGoToTheStoreOneAfterTheOtherAndTheCacheHasTheLast() throws Exception {
            FutureTask<Void> first = putThatHasSaved("first");
            FutureTask<Void> second = start(put("a", "second"));
            time.awaitSleepers(1);
            assertThat(store.rows).containsEntry("a", "first");
            stop.release();
            result(first);
            time.runReady();
            result(second);
            assertThat(store.log).containsExactly("save a first", "save a second");
            assertThat(cache.getIfPresent("a")).isEqualTo("second");
        }

        @Test
        void anInvalidationDuringAWriteHolds() throws Exception {
            FutureTask<Void> put = putThatHasSaved("mine");
            store.rows.put("a", "theirs"); // another process, whose message arrives now
            cache.invalidate("a");
            stop.release();
            result(put);
            assertThat(cache.getIfPresent("a")).isNull();
            assertThat(cache.get("a")).isEqualTo("theirs");
        }

        @Test
        void anInvalidationOfAllDuringAWriteHolds() throws Exception {
            FutureTask<Void> put = putThatHasSaved("mine");
            store.rows.put("a", "theirs");
            cache.invalidateAll();
            stop.release();
            result(put);
            assertThat(cache.get("a")).isEqualTo("theirs");
        }

        @Test
        void aDeletionWaitsForAWriteAndHolds() throws Exception {
            FutureTask<Void> put = putThatHasSaved("mine");
            FutureTask<Void> removal = start(() -> {
                cache.remove("a");
                return null;
            });
            time.awaitSleepers(1);
            stop.release();
            result(put);
            time.runReady();
            result(removal);
            assertThat(store.rows).isEmpty();
            assertThat(cache.get("a")).isNull();
        }
    }
}
