package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.work.WorkQueue;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What is wrong with a configuration is said with the kind and the name of what it is for, as policies print
 * themselves.
 */
class NamedErrorsTest {
    private static final Map<String, ThrowingCallable> WRONG = Map.ofEntries(
            wrong("breaker", () -> CircuitBreaker.of("p", c -> c.failureRate(2))),
            wrong("breaker", () -> CircuitBreaker.of("p", c -> c.slowCallRate(0.5))),
            wrong("breaker", () -> CircuitBreaker.of("p", c -> c.openFor((Duration) null))),
            wrong("retry", () -> Retry.of("p", c -> c.maxAttempts(0))),
            wrong("hedge", () -> Hedge.of("p", c -> c.maxAttempts(0))),
            wrong("bulkhead", () -> Bulkhead.of("p", 0)),
            wrong("bulkhead", () -> Bulkhead.of("p", c -> c.queue(1, Duration.ZERO))),
            wrong("limiter", () -> RateLimiter.of("p", c -> {})),
            wrong(
                    "limiter",
                    () -> RateLimiter.of("p", c -> c.limit(Limit.perSecond(1)).maxWaiting(-1))),
            wrong("limiter", () -> RateLimiter.of("p", c -> c.limit(Limit.paced(0, Duration.ofSeconds(1))))),
            wrong("limiter", () -> RateLimiter.allOf("p", List.of())),
            wrong("limiter", () -> KeyedRateLimiter.of("p", c -> c.maxKeys(0))),
            wrong("bulkhead", () -> SheddingBulkhead.of("p", 0)),
            wrong("bulkhead", () -> SheddingBulkhead.of("p", c -> c.maxWaiting(-1))),
            wrong("bulkhead", () -> AdaptiveBulkhead.of("p", c -> c.minLimit(0))),
            wrong(
                    "bulkhead",
                    () -> AdaptiveBulkhead.of("p", c -> c.partition("a", 0.7).partition("b", 0.7))),
            wrong("shedder", () -> AdaptiveThrottle.of("p", c -> c.multiplier(0))),
            wrong(
                    "shedder",
                    () -> PriorityShedder.of(
                            "p", Bulkhead.of("b", 1), c -> c.period(Duration.ZERO), Environment.system())),
            wrong("queue", () -> WorkQueue.of("p", c -> c.capacity(0), (item, attempt) -> item)),
            wrong("fallback", () -> Fallback.chain("p", c -> {})),
            wrong("timeout", () -> Timeout.of("p", Duration.ofMillis(-1))),
            wrong("cache", () -> Cache.of("p", c -> c.maxSize(-1))),
            wrong(
                    "idempotency",
                    () -> Idempotency.of(
                            "p",
                            IdempotencyStore.inMemory(1, Duration.ofHours(1), Environment.system()),
                            c -> c.maxWait(Duration.ofMillis(-1)))),
            wrong(
                    "balancer",
                    () -> LoadBalancer.of(
                            "p",
                            BalancingStrategy.roundRobin(),
                            EndpointSource.<String>of(List.of()),
                            c -> c.gatePerEndpoint(null))));

    private static int count;

    private static Map.Entry<String, ThrowingCallable> wrong(String kind, ThrowingCallable make) {
        return Map.entry(kind + " " + count++, make);
    }

    @TestFactory
    Stream<DynamicTest> an_error_in_a_configuration_begins_with_kind_and_name() {
        return WRONG.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    String kind = entry.getKey().substring(0, entry.getKey().lastIndexOf(' '));
                    assertThatThrownBy(entry.getValue())
                            .isInstanceOfAny(IllegalArgumentException.class, NullPointerException.class)
                            .hasMessageStartingWith(kind + " \"p\": ");
                }));
    }

    @Test
    void the_text_of_an_error_is_whole() {
        assertThatThrownBy(() -> CircuitBreaker.of("payments", c -> c.failureRate(2)))
                .hasMessage("breaker \"payments\": failureRate must be more than 0 and at most 1, but was 2.0");
        assertThatThrownBy(() -> Timeout.of("payments", Duration.ofMillis(-1)))
                .hasMessage("timeout \"payments\": timeout must be more than zero, but was -1ms");
    }

    @Test
    void an_exception_of_the_user_comes_through_as_it_is() {
        NumberFormatException thrown = new NumberFormatException("x");
        assertThatThrownBy(() -> CircuitBreaker.of("payments", c -> {
                    throw thrown;
                }))
                .isSameAs(thrown);
    }

    @Test
    void every_policy_prints_its_kind_and_its_name_in_quotes() {
        List<Policy> policies = List.of(
                CircuitBreaker.of("p"),
                Retry.of("p", c -> {}),
                Hedge.of("p", c -> {}),
                Bulkhead.of("p", 1),
                RateLimiter.of("p", Limit.perSecond(1)),
                RateLimiter.of("p", Limit.slidingWindow(1, Duration.ofSeconds(1))),
                RateLimiter.of("p", Limit.slidingLog(1, Duration.ofSeconds(1))),
                RateLimiter.of("p", Limit.fixedWindow(1, Duration.ofSeconds(1))),
                RateLimiter.of("p", Limit.calendar(1, ChronoUnit.DAYS, ZoneOffset.UTC)),
                RateLimiter.of("p", Limit.paced(1, Duration.ofSeconds(1))),
                RateLimiter.of("p", Limit.warmUp(1, Duration.ofSeconds(1), Duration.ofMinutes(1))),
                RateLimiter.allOf("p", RateLimiter.of("one", Limit.perSecond(1))),
                AdaptiveBulkhead.of("p"),
                SheddingBulkhead.of("p", 1),
                PriorityShedder.of("p", Bulkhead.of("b", 1)),
                AdaptiveThrottle.of("p"),
                Fallback.value("p", 1),
                Timeout.of("p", Duration.ofMillis(1)),
                Faults.of("p"));
        assertThat(policies)
                .allSatisfy(policy ->
                        assertThat(policy.toString()).startsWith(policy.kind().label() + " \"p\""));
        assertThat(Timeout.of("p", Duration.ofMillis(1))).hasToString("timeout \"p\" 1ms");
        assertThat(AdaptiveBulkhead.of("p", c -> c.partition("live", 1))
                        .partition("live")
                        .toString())
                .startsWith("bulkhead \"p.live\"");
        assertThat(WorkQueue.of("p", c -> {}, (item, attempt) -> item).toString())
                .startsWith(Policy.Kind.QUEUE.label() + " \"p\"");
    }
}
