package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.idempotency.OutcomeCheck;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * An executor that takes tasks and drops them without a word, as one of the JDK does whose policy is to discard: every
 * call that is under way ends, and gives its permit back.
 */
class DroppingExecutorTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final AtomicInteger drops = new AtomicInteger(Integer.MAX_VALUE);
    private final Executor executor = task -> {
        if (drops.getAndUpdate(left -> Math.max(0, left - 1)) == 0) {
            task.run();
        }
    };
    private final Environment environment =
            time.environment().toBuilder().executor(executor).build();
    private final Bulkhead bulkhead =
            Bulkhead.of("b", c -> c.maxConcurrent(1).queue(9, Duration.ofHours(1)), environment);

    @AfterEach
    void nothingIsLeft() {
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    /** Lets time pass until a call has ended; some of it goes on threads of the machine. */
    private @Nullable Throwable endOf(CompletableFuture<?> future) {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!future.isDone() && System.nanoTime() < end) {
            time.advance(SECOND);
            Thread.onSpinWait();
        }
        assertThat(future).isDone();
        Throwable thrown = catchThrowable(future::join);
        return thrown == null ? null : Outcomes.unwrap(thrown);
    }

    private static CompletableFuture<String> failed() {
        return CompletableFuture.failedFuture(new IllegalStateException("attempt"));
    }

    @Test
    void a_retry_ends_with_the_failure_that_it_has() {
        Retry retry = Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(SECOND)), environment);
        CompletableFuture<String> call = Pipeline.of(bulkhead, retry).callAsync(DroppingExecutorTest::failed);
        assertThat(endOf(call)).hasMessage("attempt");
    }

    @Test
    void a_call_that_is_delayed_by_a_fault_ends() {
        Faults faults = Faults.of("f", environment, Fault.latency(SECOND));
        faults.switchOn();
        CompletableFuture<String> call =
                Pipeline.of(bulkhead, faults).callAsync(() -> CompletableFuture.completedFuture("yes"));
        assertThat(endOf(call)).hasMessageContaining("has not begun a task for 30s");
    }

    @Test
    void a_hedge_whose_attempts_have_failed_ends() {
        Hedge hedge = Hedge.of("h", c -> c.delay(SECOND).idempotent(true), environment);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> call = Pipeline.of(bulkhead, hedge).callAsync(() -> first);
        time.advance(SECOND);
        first.completeExceptionally(new IllegalStateException("attempt"));
        assertThat(endOf(call)).hasMessage("attempt");
    }

    @Test
    void a_call_that_has_waited_for_a_bulkhead_is_told_and_gives_its_permit_back() {
        CompletableFuture<String> running = new CompletableFuture<>();
        CompletableFuture<String> first = bulkhead.callAsync(() -> running);
        CompletableFuture<String> waiting = bulkhead.callAsync(() -> CompletableFuture.completedFuture("yes"));
        running.complete("first");
        assertThat(endOf(first)).isNull();
        assertThat(endOf(waiting)).isInstanceOf(ExecutorRejectedException.class);
    }

    @Test
    void a_time_out_comes_and_a_second_later_at_the_latest() {
        Policy timeout = Pipeline.of(Timeout.of("t", SECOND, environment));
        CompletableFuture<String> call = timeout.callAsync(() -> new CompletableFuture<String>());
        assertThat(endOf(call)).isInstanceOf(TimedOutException.class);
    }

    @Test
    void a_key_whose_step_was_dropped_is_free_for_a_repeat() {
        Idempotency<String> orders = Idempotency.of("orders", new BlockingStore(environment), c -> {}, environment);
        CompletableFuture<String> lost = orders.callAsync("key", "", () -> CompletableFuture.completedFuture("first"));
        assertThat(endOf(lost)).hasMessageContaining("has not begun a task for 30s");
        drops.set(0);
        assertThat(orders.callAsync("key", "", () -> CompletableFuture.completedFuture("second")))
                .isCompletedWithValue("second");
    }

    @Test
    void outcomes_that_are_unknown_are_checked_in_the_background_nevertheless() {
        drops.set(0);
        OutcomeCheck<String> check = key -> OutcomeCheck.Finding.done("found");
        AtomicInteger runs = new AtomicInteger();
        Idempotency<String> orders = Idempotency.of("orders", c -> c.check(check), environment);
        assertThat(catchThrowable(() -> orders.call("key", "", () -> {
                    throw new IllegalStateException("unknown " + runs.incrementAndGet());
                })))
                .hasMessage("unknown 1");
        drops.set(2);
        time.advance(Duration.ofHours(1));
        drops.set(0);
        assertThat(orders.call("key", "", () -> "again")).isEqualTo("found");
    }

    /** A store in memory that says that it blocks. */
    private static final class BlockingStore implements IdempotencyStore<String> {
        private final IdempotencyStore<String> store;

        BlockingStore(Environment environment) {
            store = IdempotencyStore.inMemory(100, Duration.ofHours(1), environment);
        }

        @Override
        public Claim<String> claim(String key, String fingerprint, String owner, long leaseNanos) {
            return store.claim(key, fingerprint, owner, leaseNanos);
        }

        @Override
        public boolean renew(String key, String owner, long leaseNanos) {
            return store.renew(key, owner, leaseNanos);
        }

        @Override
        public boolean record(String key, String owner, @Nullable String result, @Nullable Throwable failure) {
            return store.record(key, owner, result, failure);
        }

        @Override
        public boolean forget(String key, String owner) {
            return store.forget(key, owner);
        }

        @Override
        public boolean unknown(String key, String owner) {
            return store.unknown(key, owner);
        }
    }
}
