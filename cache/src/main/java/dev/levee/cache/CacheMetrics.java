package dev.levee.cache;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of caches.
 *
 * @since 0.1
 */
public final class CacheMetrics {
    /** Entries. */
    public static final Metric CACHE_SIZE = Metric.gauge("cache.size", "Entries.");

    /** Loads that run. */
    public static final Metric CACHE_LOADING = Metric.gauge("cache.loading", "Loads that run.");

    /** Refreshes that run. */
    public static final Metric CACHE_REFRESHING = Metric.gauge("cache.refreshing", "Refreshes that run.");

    /** Tags that are remembered. */
    public static final Metric CACHE_TAGS = Metric.gauge("cache.tags", "Tags that are remembered.");

    /** Reads that were answered from an entry. */
    public static final Metric CACHE_HITS = Metric.counter("cache.hits", "Reads that were answered from an entry.");

    /** Reads that found no entry. */
    public static final Metric CACHE_MISSES = Metric.counter("cache.misses", "Reads that found no entry.");

    /** Loads that were run. */
    public static final Metric CACHE_LOADS = Metric.counter("cache.loads", "Loads that were run.");

    /** Reads that waited for the load of another one. */
    public static final Metric CACHE_LOADS_SHARED =
            Metric.counter("cache.loads.shared", "Reads that waited for the load of another one.");

    /** Loads that failed. */
    public static final Metric CACHE_LOAD_FAILURES = Metric.counter("cache.load.failures", "Loads that failed.");

    /** Time that loads have taken in all. */
    public static final Metric CACHE_LOAD =
            Metric.counter("cache.load", Metric.Unit.NANOSECONDS, "Time that loads have taken in all.");

    /** Entries that were evicted because there was no room. */
    public static final Metric CACHE_EVICTIONS =
            Metric.counter("cache.evictions", "Entries that were evicted because there was no room.");

    /** Reads that were answered with a remembered absence. */
    public static final Metric CACHE_HITS_ABSENT =
            Metric.counter("cache.hits.absent", "Reads that were answered with a remembered absence.");

    /** Reads that were answered with a remembered failure. */
    public static final Metric CACHE_HITS_FAILED =
            Metric.counter("cache.hits.failed", "Reads that were answered with a remembered failure.");

    /** Reads that were answered with a stale value. */
    public static final Metric CACHE_STALE =
            Metric.counter("cache.stale", "Reads that were answered with a stale value.");

    /** Refreshes that were started. */
    public static final Metric CACHE_REFRESHES = Metric.counter("cache.refreshes", "Refreshes that were started.");

    /** Refreshes that failed. */
    public static final Metric CACHE_REFRESH_FAILURES =
            Metric.counter("cache.refresh.failures", "Refreshes that failed.");

    /** Refreshes that were due and not started because too many ran. */
    public static final Metric CACHE_REFRESHES_REFUSED =
            Metric.counter("cache.refreshes.refused", "Refreshes that were due and not started because too many ran.");

    private static final List<Metric> ALL = List.of(
            CACHE_SIZE,
            CACHE_LOADING,
            CACHE_REFRESHING,
            CACHE_TAGS,
            CACHE_HITS,
            CACHE_MISSES,
            CACHE_LOADS,
            CACHE_LOADS_SHARED,
            CACHE_LOAD_FAILURES,
            CACHE_LOAD,
            CACHE_EVICTIONS,
            CACHE_HITS_ABSENT,
            CACHE_HITS_FAILED,
            CACHE_STALE,
            CACHE_REFRESHES,
            CACHE_REFRESH_FAILURES,
            CACHE_REFRESHES_REFUSED);

    private CacheMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
