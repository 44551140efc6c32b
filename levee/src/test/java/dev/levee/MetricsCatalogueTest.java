package dev.levee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Cache;
import dev.levee.cache.CacheMetrics;
import dev.levee.cache.Codec;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.cache.writebehind.WriteBehindMetrics;
import dev.levee.circuitbreaker.BreakerMetrics;
import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.KeyedMetrics;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.Pipeline;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyMetrics;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.FallbackConfig;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.PolicyMetrics;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.signals.Objective;
import dev.levee.core.signals.SignalMetrics;
import dev.levee.jdbc.routing.RoutingDataSource;
import dev.levee.jdbc.routing.RoutingMetrics;
import dev.levee.loadbalancing.BalancerMetrics;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.ServerLoadRecorder;
import dev.levee.loadbalancing.strategy.StrategyMetrics;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.OverloadMetrics;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaStore;
import dev.levee.ratelimit.shared.SharedBulkhead;
import dev.levee.ratelimit.shared.SharedBulkheadMetrics;
import dev.levee.ratelimit.shared.SharedLimiterMetrics;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.work.WorkMetrics;
import dev.levee.ratelimit.work.WorkQueue;
import dev.levee.ratelimit.work.WorkQueueConfig;
import dev.levee.redis.cache.RedisTier;
import dev.levee.redis.cache.TwoTierCache;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.h2.jdbcx.JdbcDataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The lists of metrics hold what is measured, and the page about them is the same. */
class MetricsCatalogueTest {
    private static final List<Metric> ALL = MetricsCatalogue.ALL;

    @Test
    void no_two_have_one_name() {
        assertThat(ALL.stream().map(Metric::name)).doesNotHaveDuplicates();
    }

    @Test
    void every_constant_of_a_class_is_in_its_list() throws ReflectiveOperationException {
        for (Class<?> type : List.of(
                PolicyMetrics.class,
                SignalMetrics.class,
                KeyedMetrics.class,
                IdempotencyMetrics.class,
                BreakerMetrics.class,
                LimiterMetrics.class,
                SharedLimiterMetrics.class,
                SharedBulkheadMetrics.class,
                OverloadMetrics.class,
                WorkMetrics.class,
                BalancerMetrics.class,
                StrategyMetrics.class,
                CacheMetrics.class,
                WriteBehindMetrics.class)) {
            List<Metric> constants = new ArrayList<>();
            for (var field : type.getFields()) {
                constants.add((Metric) field.get(null));
            }
            assertThat((List<?>) type.getMethod("all").invoke(null)).isEqualTo(constants);
        }
    }

    @Test
    void what_is_measured_is_described_and_what_is_described_is_measured() throws Exception {
        Set<Metric> seen = new HashSet<>();
        Measured.Sink sink = new Measured.Sink() {
            @Override
            public void value(String policy, String metric, double value) {
                throw new AssertionError("figure without a description: " + metric + " of " + policy);
            }

            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                assertThat(tags).as(metric.name()).hasSameSizeAs(metric.tags());
                seen.add(metric);
            }

            @Override
            public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
                value(policy, metric, tags, 0);
            }
        };
        Environment environment = Environment.closeable("catalogue");
        List<AutoCloseable> open = new ArrayList<>();
        try {
            for (Measured each : everyKind(environment, open)) {
                each.measure(sink);
            }
        } finally {
            for (AutoCloseable each : open) {
                each.close();
            }
            environment.close();
        }
        assertThat(ALL).containsAll(seen);
        Set<String> missing = new TreeSet<>(ALL.stream().map(Metric::name).toList());
        seen.forEach(metric -> missing.remove(metric.name()));
        missing.remove(RoutingMetrics.ROUTING_LAG.name()); // only of a replica that answers
        assertThat(missing).isEmpty();
    }

    private static List<Measured> everyKind(Environment environment, List<AutoCloseable> open) {
        List<Measured> all = new ArrayList<>();
        FallbackConfig sources = FallbackConfig.builder()
                .then("table", error -> "x")
                .then("f", error -> "y")
                .build();
        all.add(Pipeline.of(
                Fallback.of("f", sources),
                Retry.of("r", c -> c.budget(RetryBudget.of("rb"))),
                CircuitBreaker.of("b", c -> c.totals(true).ramp(Duration.ofSeconds(10), 0.1, 0.5)),
                Hedge.of("h"),
                Timeout.of("t", Duration.ofSeconds(1)),
                Faults.of("x", Fault.failure(IOException::new)),
                Bulkhead.of("p", 3)));
        CallMeter meter = CallMeter.of("m", c -> c.objective(Objective.of(0.999)));
        Bulkhead full = Bulkhead.of("full", 1);
        full.run(() ->
                Pipeline.of(Fallback.of("caught", error -> "x"), meter, full).call(() -> "y"));
        all.add(meter);
        all.add(RateLimiter.of("l", c -> c.limit(Limit.perSecond(1)).totals(true)));
        all.add(KeyedRateLimiter.of("k", c -> c.limit(Limit.perSecond(1)).totals(true)));
        SharedLimits shared = SharedLimits.of("store", new NoQuotas(), environment);
        open.add(shared);
        shared.limiter("shared", Limit.perSecond(1));
        all.add(shared);
        SharedBulkhead leased = SharedBulkhead.of("leased", 3, request -> new CompletableFuture<>(), environment);
        open.add(leased);
        all.add(leased);
        all.add(AdaptiveBulkhead.of("a"));
        all.add(SheddingBulkhead.of("s", 4));
        all.add(PriorityShedder.of("ps", Bulkhead.of("inside", 3)));
        all.add(AdaptiveThrottle.of("at"));
        all.add(Keyed.of("keyed", 10, Duration.ofHours(1), key -> CircuitBreaker.of("each"), environment));
        all.add(Idempotency.of("i"));
        all.add(ServerLoadRecorder.of("sl"));
        WorkQueueConfig<String> config =
                WorkQueueConfig.<String>builder().ages(true).build();
        WorkQueue<String> queue = WorkQueue.of("q", config, (item, attempt) -> null, environment);
        open.add(() -> queue.close(Duration.ofSeconds(10)));
        all.add(queue);
        LoadBalancer<String> balancer = LoadBalancer.of(
                "lb",
                BalancingStrategy.probing(c -> c.probe(endpoint -> new CompletableFuture<>())),
                EndpointSource.of(List.of(Endpoint.of("a"), Endpoint.of("b"))),
                LoadBalancerConfig.<String>builder()
                        .totals(true)
                        .gatePerEndpoint(endpoint -> CircuitBreaker.of("lb/" + endpoint.id()))
                        .health(c -> {})
                        .drain(Duration.ofSeconds(1), endpoint -> {})
                        .build(),
                environment);
        open.add(balancer);
        all.add(balancer);
        Cache<String, String> cache =
                Cache.over("c", key -> key, c -> c.totals(true).tags((key, value) -> Set.of("t")));
        open.add(cache);
        all.add(cache);
        WriteBehind<String, String> writes = WriteBehind.of("w", new StoredRows(), c -> {}, environment);
        open.add(writes);
        all.add(writes);
        RedisClient nowhere = RedisClient.create(RedisURI.create("127.0.0.1", 1));
        open.add(nowhere);
        TwoTierCache<String, String> tiers = TwoTierCache.over(
                "t",
                RedisTier.builder(nowhere, Codec.strings(), Codec.strings()).build(),
                key -> key);
        open.add(tiers);
        all.add(tiers);
        RoutingDataSource routing = RoutingDataSource.of("d", Map.of("n", new JdbcDataSource()), c -> {}, environment);
        open.add(routing);
        all.add(routing);
        return all;
    }

    @Test
    void the_page_has_the_same_table() throws IOException {
        StringBuilder table = new StringBuilder("| Metric | Kind | Unit | Tags | Meaning |\n|---|---|---|---|---|\n");
        for (Metric metric : ALL) {
            table.append("| `")
                    .append(metric.name())
                    .append("` | ")
                    .append(metric.kind().name().toLowerCase(Locale.ROOT))
                    .append(" | ")
                    .append(metric.unit().base())
                    .append(" | ")
                    .append(String.join(", ", metric.tags()))
                    .append(metric.states().isEmpty() ? "" : "state: " + String.join(", ", metric.states()))
                    .append(" | ")
                    .append(metric.description())
                    .append(" |\n");
        }
        assertThat(Files.readString(Project.root().resolve("docs/monitoring/metrics.md")))
                .contains(table);
    }

    private static final class NoQuotas implements QuotaStore {
        @Override
        public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
            return new CompletableFuture<>();
        }

        @Override
        public void check(Limit limit) {}

        @Override
        public long replayNanos() {
            return 0;
        }
    }

    private static final class StoredRows implements Store<String, String> {
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
