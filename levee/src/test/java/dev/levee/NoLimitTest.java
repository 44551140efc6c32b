package dev.levee;

import static dev.levee.core.Deadline.FOREVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Policy;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.work.WhenFull;
import dev.levee.ratelimit.work.WorkQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** {@link Deadline#FOREVER} wherever a duration is asked that bounds something. */
class NoLimitTest {
    private static final Duration CENTURY = Duration.ofDays(36_500);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();

    private void assertNeverEnds(CompletableFuture<?> future) {
        time.advance(CENTURY);
        assertThat(future).isNotDone();
    }

    @Test
    void a_deadline_never_comes() {
        Deadline deadline = Deadline.after(FOREVER, environment.clock());
        time.advance(CENTURY);
        assertThat(deadline.isExpired()).isFalse();
    }

    @Test
    void a_timeout_never_ends_a_call() {
        CompletableFuture<String> work = new CompletableFuture<>();
        assertNeverEnds(Timeout.of("t", FOREVER, environment).callAsync(() -> work));
        assertNeverEnds(Timeout.computed("c", context -> FOREVER, environment).callAsync(() -> work));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_retry_has_all_the_time_that_its_attempts_take() {
        AtomicInteger attempts = new AtomicInteger();
        Retry retry =
                Retry.of("r", c -> c.totalTime(FOREVER).maxHint(FOREVER).backoff(Backoff.fixed(CENTURY)), environment);
        CompletableFuture<String> future = retry.callAsync(() -> {
            attempts.incrementAndGet();
            return CompletableFuture.failedFuture(new IOException("down"));
        });
        time.advance(CENTURY);
        time.advance(CENTURY);
        assertThat(future).isCompletedExceptionally();
        assertThat(attempts).hasValue(3);
    }

    @Test
    void a_turn_is_waited_for_as_long_as_it_takes() {
        Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(1).queue(1, FOREVER), environment);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> held = bulkhead.callAsync(() -> first);
        CompletableFuture<String> waiting = bulkhead.callAsync(() -> CompletableFuture.completedFuture("second"));
        assertNeverEnds(waiting);
        first.complete("first");
        time.advance(Duration.ZERO);
        assertThat(held).isDone();
        assertThat(waiting).isCompletedWithValue("second");
    }

    @Test
    void permits_are_waited_for_as_long_as_it_takes() {
        Limit limit = Limit.of(1, Duration.ofDays(40_000));
        RateLimiter limiter = RateLimiter.of("l", c -> c.limit(limit).maxWait(FOREVER), environment);
        limiter.run(() -> {});
        CompletableFuture<String> call = limiter.callAsync(() -> CompletableFuture.completedFuture("later"));
        assertNeverEnds(call);
        time.advance(Duration.ofDays(3_500));
        assertThat(call).isCompletedWithValue("later");
    }

    @Test
    void a_permit_of_an_adaptive_limit_is_never_held_too_long() {
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("a", c -> c.heldTooLong(FOREVER), environment);
        assertNeverEnds(bulkhead.callAsync(CompletableFuture::new));
        assertThat(bulkhead.heldTooLong()).isZero();
    }

    @Test
    void a_place_in_a_work_queue_is_waited_for_as_long_as_it_takes() {
        CompletableFuture<String> work = new CompletableFuture<>();
        WorkQueue<String> queue = WorkQueue.of(
                "q",
                c -> c.capacity(1)
                        .workers(1)
                        .whenFull(WhenFull.BLOCK)
                        .maxWait(FOREVER)
                        .maxHint(FOREVER),
                (item, attempt) -> work,
                environment);
        queue.offer("first");
        CompletableFuture<?> second = queue.submitAsync("second");
        assertNeverEnds(second);
        work.complete("done");
        time.advance(Duration.ZERO);
        assertThat(second).isCompleted();
        assertThat(queue.close(FOREVER).returned()).isEmpty();
    }

    @Test
    void a_hedge_starts_another_attempt_only_after_a_failure() {
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<String> first = new CompletableFuture<>();
        Hedge hedge = Hedge.of("h", c -> c.delay(FOREVER), environment);
        CompletableFuture<String> future = hedge.callAsync(
                () -> attempts.incrementAndGet() == 1 ? first : CompletableFuture.completedFuture("second"));
        assertNeverEnds(future);
        assertThat(attempts).hasValue(1);
        first.completeExceptionally(new IOException("down"));
        time.advance(Duration.ZERO);
        assertThat(future).isCompletedWithValue("second");
        Hedge bounded = Hedge.of("b", c -> c.delayBetween(Duration.ZERO, FOREVER), environment);
        assertNeverEnds(bounded.callAsync(CompletableFuture::new));
    }

    @Test
    void faults_stay_on() {
        Fault down = Fault.failure(() -> new IllegalStateException("down")).during(Duration.ZERO, FOREVER);
        Faults faults = Faults.of("f", environment, down);
        faults.switchOn(FOREVER);
        time.advance(CENTURY);
        assertThat(faults.isOn()).isTrue();
        assertThatThrownBy(() -> faults.call(() -> "never")).hasMessage("down");
    }

    @Test
    void a_breaker_stays_open() {
        CircuitBreaker breaker = CircuitBreaker.of(
                "b", c -> c.consecutiveFailures(1).openFor(FOREVER).probeLease(FOREVER), environment);
        assertThatThrownBy(() -> breaker.call(() -> {
            throw new IOException("down");
        }));
        time.advance(CENTURY);
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.OPEN);
    }

    @Test
    void a_key_is_never_idle() {
        AtomicInteger made = new AtomicInteger();
        Keyed<String, Policy> keyed = Keyed.of(
                "k",
                10,
                FOREVER,
                key -> {
                    made.incrementAndGet();
                    return Bulkhead.of(key, 1, environment);
                },
                environment);
        keyed.get("a");
        time.advance(CENTURY);
        keyed.get("a");
        assertThat(made).hasValue(1);
    }

    @Test
    void a_value_never_expires() throws Exception {
        AtomicInteger loads = new AtomicInteger();
        Cache<String, Integer> cache =
                Cache.over("c", key -> loads.incrementAndGet(), c -> c.expireAfter(FOREVER), environment);
        assertThat(cache.get("a")).isOne();
        time.advance(CENTURY);
        assertThat(cache.get("a")).isOne();
    }

    @Test
    void a_ticket_has_no_lease() {
        try (LoadBalancer<String> balancer = LoadBalancer.of(
                "l",
                BalancingStrategy.roundRobin(),
                EndpointSource.ofAddresses(List.of("a")),
                c -> c.lease(FOREVER).drain(FOREVER, e -> {}),
                environment)) {
            assertNeverEnds(balancer.callAsync(endpoint -> new CompletableFuture<String>()));
        }
    }

    @Test
    void a_repeat_waits_for_as_long_as_the_first_runs() {
        Idempotency<String> idempotency =
                Idempotency.of("i", c -> c.lease(FOREVER).maxWait(FOREVER), environment);
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> first = idempotency.callAsync("key", "", () -> work);
        CompletableFuture<String> repeat = idempotency.callAsync("key", "", () -> new CompletableFuture<>());
        time.advance(Duration.ofHours(1));
        assertThat(repeat).isNotDone();
        work.complete("once");
        time.advance(Duration.ofSeconds(1));
        assertThat(first).isCompletedWithValue("once");
        assertThat(repeat).isCompletedWithValue("once");
    }
}
