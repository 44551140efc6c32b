package dev.levee;

import dev.levee.cache.CacheMetrics;
import dev.levee.cache.writebehind.WriteBehindMetrics;
import dev.levee.circuitbreaker.BreakerMetrics;
import dev.levee.core.KeyedMetrics;
import dev.levee.core.Metric;
import dev.levee.core.idempotency.IdempotencyMetrics;
import dev.levee.core.policy.PolicyMetrics;
import dev.levee.core.signals.SignalMetrics;
import dev.levee.jdbc.routing.RoutingMetrics;
import dev.levee.loadbalancing.BalancerMetrics;
import dev.levee.loadbalancing.strategy.StrategyMetrics;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.concurrency.OverloadMetrics;
import dev.levee.ratelimit.shared.SharedBulkheadMetrics;
import dev.levee.ratelimit.shared.SharedLimiterMetrics;
import dev.levee.ratelimit.work.WorkMetrics;
import dev.levee.redis.cache.TwoTierMetrics;
import java.util.List;
import java.util.stream.Stream;

/** The lists of metrics of all modules. */
final class MetricsCatalogue {
    static final List<Metric> ALL = Stream.of(
                    PolicyMetrics.all(),
                    SignalMetrics.all(),
                    KeyedMetrics.all(),
                    IdempotencyMetrics.all(),
                    BreakerMetrics.all(),
                    LimiterMetrics.all(),
                    SharedLimiterMetrics.all(),
                    SharedBulkheadMetrics.all(),
                    OverloadMetrics.all(),
                    WorkMetrics.all(),
                    BalancerMetrics.all(),
                    StrategyMetrics.all(),
                    CacheMetrics.all(),
                    WriteBehindMetrics.all(),
                    TwoTierMetrics.all(),
                    RoutingMetrics.all())
            .flatMap(List::stream)
            .toList();

    private MetricsCatalogue() {}

    /** Whether a name is that of a metric, or one that a sink without tags gets. */
    static boolean hasName(String name) {
        return ALL.stream().anyMatch(metric -> isName(metric, name));
    }

    private static boolean isName(Metric metric, String name) {
        return name.equals(metric.name())
                || name.equals(metric.toString())
                || (!metric.tags().isEmpty() && name.startsWith(metric.name() + '.'));
    }
}
