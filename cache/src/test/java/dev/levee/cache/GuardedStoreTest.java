package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.writebehind.BatchStore;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A policy around a loader, a store or a batch store, in one line. */
class GuardedStoreTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1");
    private final Bulkhead one = Bulkhead.of("one", 1, time.environment());

    /** Returns what a call throws that finds the bulkhead full. */
    private Throwable whileFull(Runnable call) {
        Throwable[] thrown = new Throwable[1];
        one.call(() -> {
            thrown[0] = catchThrowable(call::run);
            return null;
        });
        return thrown[0];
    }

    @Test
    void refusals_of_a_loader_reach_the_caller_of_the_cache_as_they_are() {
        Loader<String, String> loader = store;
        Cache<String, String> cache = Cache.over("letters", loader.guardedBy(one), c -> {}, time.environment());
        assertThat(whileFull(() -> cache.get("a"))).isInstanceOf(BulkheadFullException.class);
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(cache.get("b")).isNull();
    }

    @Test
    void refusals_of_a_store_reach_the_writer_as_they_are_and_the_store_has_nothing() {
        Cache<String, String> cache =
                Cache.over("letters", store.guardedBy(one), c -> c.writeThrough(), time.environment());
        assertThat(whileFull(() -> cache.put("a", "2"))).isInstanceOf(BulkheadFullException.class);
        assertThat(whileFull(() -> cache.remove("a"))).isInstanceOf(BulkheadFullException.class);
        assertThat(store.rows).containsEntry("a", "1");
        cache.put("a", "2");
        cache.remove("a");
        assertThat(store.log).containsExactly("save a 2", "delete a");
    }

    @Test
    void what_a_guarded_store_throws_is_the_same_object() {
        IOException disk = new IOException("disk");
        store.before = operation -> {
            throw disk;
        };
        Store<String, String> guarded = store.guardedBy(one);
        assertThat(catchThrowable(() -> guarded.load("a"))).isSameAs(disk);
        assertThat(catchThrowable(() -> guarded.save("a", "2"))).isSameAs(disk);
        assertThat(catchThrowable(() -> guarded.delete("a"))).isSameAs(disk);
    }

    @Test
    void a_pipeline_repeats_and_bounds_each_call() throws Exception {
        time.autoAdvance();
        Retry retry = Retry.of(
                "reads",
                c -> c.maxAttempts(3).idempotent(true).backoff(Backoff.fixed(Duration.ofMillis(10))),
                time.environment());
        Timeout timeout = Timeout.of("reads", Duration.ofSeconds(1), time.environment());
        int[] calls = new int[1];
        store.before = operation -> {
            if (++calls[0] < 3) {
                time.environment().scheduler().sleep(Duration.ofSeconds(2).toNanos());
            }
        };
        Store<String, String> guarded = store.guardedBy(Pipeline.of(retry, timeout));
        assertThat(guarded.load("a")).isEqualTo("1");
        assertThat(calls[0]).isEqualTo(3);
        calls[0] = -10;
        assertThat(catchThrowable(() -> guarded.save("a", "2"))).isInstanceOf(TimedOutException.class);
    }

    @Test
    void a_batch_store_is_guarded_too_and_its_failures_by_key_are_no_failure_of_the_call() throws Exception {
        List<String> seen = new ArrayList<>();
        IOException failure = new IOException("one row");
        BatchStore<String, String> batches = new BatchStore<>() {
            @Override
            public String load(String key) {
                return "loaded";
            }

            @Override
            public Map<String, ? extends Throwable> write(List<PendingWrite<String, String>> batch) {
                batch.forEach(write -> seen.add(write.key()));
                return Map.of("a", failure);
            }
        };
        BatchStore<String, String> guarded = batches.guardedBy(one);
        List<PendingWrite<String, String>> batch = List.of(new PendingWrite<>("a", "1", 1, Instant.EPOCH));
        assertThat(whileFull(() -> {
                    try {
                        guarded.write(batch);
                    } catch (Exception thrown) {
                        throw (RuntimeException) thrown;
                    }
                }))
                .isInstanceOf(BulkheadFullException.class);
        assertThat(guarded.write(batch)).isEqualTo(Map.of("a", failure));
        assertThat(guarded.load("a")).isEqualTo("loaded");
        assertThat(seen).containsExactly("a");
    }

    @Test
    void no_policy_is_an_error_at_once() {
        assertThatNullPointerException().isThrownBy(() -> store.guardedBy(null)).withMessage("policy");
    }
}
