package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A scheduler whose timers throw when they are cancelled, and fire nevertheless, harms no call. */
class UncancellableTimersTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment().toBuilder()
            .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                @Override
                public Timer schedule(Runnable task, long delayNanos) {
                    super.schedule(task, delayNanos);
                    return () -> {
                        throw new IllegalStateException("no cancel");
                    };
                }
            })
            .build();
    private final CompletableFuture<String> work = new CompletableFuture<>();

    @Test
    void a_call_in_time_has_its_result() {
        Timeout timeout = Timeout.of("db", ofSeconds(1), environment);

        CompletableFuture<String> call = timeout.callAsync(() -> work);
        work.complete("row");
        time.runReady();

        assertThat(call).isCompletedWithValue("row");
        assertThat(timeout.call(() -> "blocking")).isEqualTo("blocking");
        time.advance(ofSeconds(2));
        assertThat(call).isCompletedWithValue("row");
    }

    @Test
    void a_hedge_that_is_not_needed_never_begins() {
        AtomicInteger begun = new AtomicInteger();
        Hedge hedge = Hedge.of("db", config -> config.delay(ofMillis(100)), environment);

        CompletableFuture<String> call = hedge.callAsync(() -> {
            begun.incrementAndGet();
            return work;
        });
        work.complete("row");
        time.runReady();

        assertThat(call).isCompletedWithValue("row");
        time.advance(ofSeconds(1));
        assertThat(begun).hasValue(1);
    }

    @Test
    void a_retry_that_is_cancelled_while_it_waits_ends_and_never_goes_on() {
        AtomicInteger begun = new AtomicInteger();
        Bulkhead permits = Bulkhead.of("permits", 1, environment);
        Retry retry =
                Retry.of("db", config -> config.maxAttempts(3).backoff(Backoff.fixed(ofMillis(100))), environment);

        CompletableFuture<String> call = Pipeline.of(permits, retry).callAsync(() -> {
            begun.incrementAndGet();
            return CompletableFuture.failedFuture(new java.io.IOException("reset"));
        });
        time.runReady();
        assertThat(permits.inFlight()).isEqualTo(1);
        call.cancel(true);
        time.runReady();

        assertThat(call).isCancelled();
        assertThat(permits.inFlight()).isZero();
        time.advance(ofSeconds(1));
        assertThat(begun).hasValue(1);
    }

    @Test
    void a_call_that_had_its_turn_in_time_has_its_result() {
        Bulkhead bulkhead = Bulkhead.of("db", config -> config.maxConcurrent(1).queue(1, ofSeconds(1)), environment);
        CompletableFuture<String> first = bulkhead.callAsync(() -> work);
        CompletableFuture<String> second = bulkhead.callAsync(() -> CompletableFuture.completedFuture("second"));

        work.complete("first");
        time.runReady();

        assertThat(first).isCompletedWithValue("first");
        assertThat(second).isCompletedWithValue("second");
        time.advance(ofSeconds(2));
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    @Test
    void a_repeat_that_waits_for_the_first_has_its_result() {
        IdempotencyStore<String> store = IdempotencyStore.inMemory(10, Duration.ofHours(1), environment);
        Idempotency<String> here = Idempotency.of("pay", store, config -> {}, environment);
        Idempotency<String> there = Idempotency.of("pay", store, config -> {}, environment);
        CompletableFuture<String> first = here.callAsync("key", "print", () -> work);
        CompletableFuture<String> cancelled = there.callAsync("key", "print", () -> work);
        CompletableFuture<String> repeat = there.callAsync("key", "print", () -> work);

        cancelled.cancel(true);
        work.complete("receipt");
        time.runReady();
        time.advance(ofSeconds(1));

        assertThat(first).isCompletedWithValue("receipt");
        assertThat(cancelled).isCancelled();
        assertThat(repeat).isCompletedWithValue("receipt");
    }
}
