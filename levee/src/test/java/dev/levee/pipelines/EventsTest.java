package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.work.WorkQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Events of policies that share a name can be told apart. */
class EventsTest {
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            new ManualTime().environment().toBuilder().listener(heard).build();
    private final CircuitBreaker breaker = CircuitBreaker.of("payments", c -> c.consecutiveFailures(2), environment);
    private final RateLimiter limiter = RateLimiter.of("payments", Limit.perSecond(10), environment);
    private final Bulkhead bulkhead = Bulkhead.of("payments", 1, environment);

    @Test
    void outcomes_of_three_gates_in_one_pipeline() {
        Pipeline.of(breaker, limiter, bulkhead).call(() -> "paid");
        assertThat(heard.events())
                .containsExactly(
                        "bulkhead payments SUCCESS after PT0S",
                        "limiter payments SUCCESS after PT0S",
                        "breaker payments SUCCESS after PT0S");
    }

    @Test
    void of_everything_that_happens_on_the_way() throws Exception {
        Pipeline guard = Pipeline.of(
                Fallback.value("payments", "later", environment),
                Retry.of("payments", c -> c.maxAttempts(2).backoff(Backoff.fixed(Duration.ZERO)), environment),
                breaker);
        String answer = guard.call(() -> {
            throw new IOException("down");
        });
        assertThat(answer).isEqualTo("later");
        assertThat(heard.events())
                .containsExactly(
                        "breaker payments FAILURE after PT0S",
                        "retry payments attempt 2 after PT0S",
                        "breaker payments CLOSED->OPEN",
                        "breaker payments FAILURE after PT0S",
                        "fallback payments degraded: java.io.IOException: down");
    }

    @Test
    void of_a_refusal_by_one_gate_to_the_others() {
        bulkhead.callAsync(CompletableFuture::new);
        assertThat(Pipeline.of(breaker, bulkhead).callAsync(CompletableFuture::new))
                .isCompletedExceptionally();
        assertThat(heard.events()).containsExactly("bulkhead payments refused", "breaker payments IGNORED after PT0S");
    }

    @Test
    void of_shedding_and_of_limits_that_find_themselves() {
        SheddingBulkhead shedding =
                SheddingBulkhead.of("orders", c -> c.maxConcurrent(1).maxWaiting(1), environment);
        Pipeline guard = Pipeline.of(
                PriorityShedder.of("orders", shedding),
                AdaptiveThrottle.of("orders", environment),
                AdaptiveBulkhead.of("orders", environment),
                shedding);
        guard.call(() -> "served");
        assertThat(heard.events())
                .containsExactly(
                        "bulkhead orders SUCCESS after PT0S",
                        "bulkhead orders SUCCESS after PT0S",
                        "shedder orders SUCCESS after PT0S",
                        "shedder orders SUCCESS after PT0S");
        int before = heard.events().size();
        shedding.callAsync(CompletableFuture::new);
        shedding.callAsync(CompletableFuture::new); // waits
        assertThat(guard.callAsync(CompletableFuture::new)).isCompletedExceptionally();
        assertThat(heard.events().subList(before, heard.events().size()))
                .containsExactly(
                        "bulkhead orders refused",
                        "bulkhead orders IGNORED after PT0S",
                        "shedder orders IGNORED after PT0S",
                        "shedder orders IGNORED after PT0S");
    }

    @Test
    void of_a_combination_only_the_combination_speaks() {
        RateLimiter both = RateLimiter.allOf(
                "both", limiter, RateLimiter.of("slow", Limit.fixedWindow(1, Duration.ofDays(1)), environment));
        both.run(() -> {});
        assertThat(both.tryAcquire()).isFalse();
        assertThat(heard.events()).containsExactly("limiter both SUCCESS after PT0S", "limiter both refused");
    }

    @Test
    void of_a_work_queue() {
        WorkQueue<String> queue =
                WorkQueue.of("mail", c -> c.capacity(1).workers(0), (item, attempt) -> item, environment);
        assertThat(queue.offer("first")).isTrue();
        assertThat(queue.offer("second")).isFalse();
        assertThat(heard.events()).containsExactly("queue mail refused");
    }
}
