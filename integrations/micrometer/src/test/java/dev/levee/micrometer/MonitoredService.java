package dev.levee.micrometer;

import dev.levee.cache.Cache;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.Pipeline;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.signals.Objective;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.ServerLoadRecorder;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.work.WorkQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One of every kind that is measured, and calls that move its figures. */
final class MonitoredService implements AutoCloseable {
    private final Environment environment = Environment.closeable("monitored");
    private final AtomicLong rounds = new AtomicLong();

    private final CallMeter meter = CallMeter.of("catalog", config -> config.objective(Objective.of(0.999)));
    private final Pipeline pipeline = Pipeline.of(
            meter,
            Fallback.of("catalog", error -> "instead"),
            Retry.of(
                    "catalog",
                    config -> config.budget(RetryBudget.of("catalog"))
                            .backoff(Backoff.fixed(Duration.ofMillis(1)))
                            .idempotent(true)),
            CircuitBreaker.of("catalog", config -> config.totals(true)),
            Hedge.of("catalog"),
            Timeout.of("catalog", Duration.ofSeconds(5)),
            Faults.of("catalog", Fault.failure(IOException::new)),
            Bulkhead.of("catalog", 10));
    private final RateLimiter limiter = RateLimiter.of(
            "catalog", config -> config.limit(Limit.perSecond(10)).totals(true));
    private final KeyedRateLimiter<String> keyedLimiter = KeyedRateLimiter.of(
            "tenants", config -> config.limit(Limit.perSecond(10)).totals(true));
    private final Keyed<String, CircuitBreaker> keyed =
            Keyed.of("hosts", 10, Duration.ofHours(1), host -> CircuitBreaker.of("host-" + host), environment);
    private final Idempotency<String> idempotency = Idempotency.of("orders");
    private final WorkQueue<String> queue =
            WorkQueue.of("mails", config -> config.ages(true), (item, attempt) -> null, environment);
    private final LoadBalancer<String> balancer = LoadBalancer.of(
            "catalog",
            BalancingStrategy.roundRobin(),
            EndpointSource.of(List.of(Endpoint.of("a"), Endpoint.of("b"))),
            LoadBalancerConfig.<String>builder()
                    .totals(true)
                    .gatePerEndpoint(endpoint -> CircuitBreaker.of("catalog-" + endpoint.id()))
                    .health(config -> {})
                    .build(),
            environment);
    private final Cache<String, String> cache = Cache.over("catalog", key -> key, config -> config.totals(true));
    private final WriteBehind<String, String> writes =
            WriteBehind.of("visits", new MemoryStore(), config -> {}, environment);

    List<Measured> sources() {
        return List.of(
                pipeline,
                limiter,
                keyedLimiter,
                keyed,
                AdaptiveBulkhead.of("adaptive"),
                SheddingBulkhead.of("shedding", 4),
                PriorityShedder.of("front", Bulkhead.of("front", 3)),
                AdaptiveThrottle.of("backend"),
                idempotency,
                ServerLoadRecorder.of("here"),
                queue,
                balancer,
                cache,
                writes);
    }

    /** Makes some calls of each. */
    void work() throws Exception {
        long round = rounds.incrementAndGet();
        for (int i = 0; i < 5; i++) {
            String key = "key" + (round % 7) + i;
            pipeline.call(() -> "answer");
            pipeline.call(() -> {
                throw new IOException("down");
            });
            if (limiter.tryAcquire()) {
                balancer.call(endpoint -> endpoint);
            }
            keyedLimiter.tryAcquireOrWaitNanos(key);
            keyed.get("h" + i).call(() -> "answer");
            idempotency.call(key, "same", () -> "done");
            queue.offer(key);
            cache.get(key);
            cache.get(key);
            writes.save(key, "visited");
        }
    }

    @Override
    public void close() {
        writes.close();
        cache.close();
        balancer.close();
        queue.close(Duration.ofSeconds(5));
        environment.close();
    }

    private static final class MemoryStore implements Store<String, String> {
        private final Map<String, String> rows = new ConcurrentHashMap<>();

        @Override
        public @Nullable String load(String key) {
            return rows.get(key);
        }

        @Override
        public void save(String key, String value) {
            rows.put(key, value);
        }

        @Override
        public void delete(String key) {
            rows.remove(key);
        }
    }
}
