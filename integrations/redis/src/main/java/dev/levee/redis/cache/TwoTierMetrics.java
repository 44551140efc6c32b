package dev.levee.redis.cache;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of the Redis tier of caches; those of the near tier are {@link dev.levee.cache.CacheMetrics}.
 *
 * @since 0.1
 */
public final class TwoTierMetrics {
    /** Reads that found a value in Redis. */
    public static final Metric REDIS_HITS = Metric.counter("cache.redis.hits", "Reads that found a value in Redis.");

    /** Loads that had the lease of their key. */
    public static final Metric REDIS_LEASES =
            Metric.counter("cache.redis.leases", "Loads that had the lease of their key.");

    /** Looks whether another process has loaded a value. */
    public static final Metric REDIS_WAITS =
            Metric.counter("cache.redis.waits", "Looks whether another process has loaded a value.");

    /** Reads of keys that were being written. */
    public static final Metric REDIS_UNCACHED =
            Metric.counter("cache.redis.uncached", "Reads of keys that were being written.");

    /** Loads past Redis, because it was gone or another process took too long. */
    public static final Metric REDIS_PAST = Metric.counter(
            "cache.redis.past", "Loads past Redis, because it was gone or another process took too long.");

    /** Values in Redis that could not be read. */
    public static final Metric REDIS_UNREADABLE =
            Metric.counter("cache.redis.unreadable", "Values in Redis that could not be read.");

    /** Values that were too large for Redis. */
    public static final Metric REDIS_TOO_LARGE =
            Metric.counter("cache.redis.too.large", "Values that were too large for Redis.");

    /** Loaded values that Redis refused because their key had changed meanwhile. */
    public static final Metric REDIS_REFUSED_FILLS = Metric.counter(
            "cache.redis.refused.fills", "Loaded values that Redis refused because their key had changed meanwhile.");

    /** Messages of changes that came. */
    public static final Metric REDIS_MESSAGES =
            Metric.counter("cache.redis.messages", "Messages of changes that came.");

    /** Times that everything near was dropped. */
    public static final Metric REDIS_CLEARS =
            Metric.counter("cache.redis.clears", "Times that everything near was dropped.");

    /** Invalidations that were repeated when Redis was back. */
    public static final Metric REDIS_REPEATED =
            Metric.counter("cache.redis.repeated", "Invalidations that were repeated when Redis was back.");

    /** Invalidations that wait for Redis. */
    public static final Metric REDIS_PENDING =
            Metric.gauge("cache.redis.pending", "Invalidations that wait for Redis.");

    /** 1 while the near tier may have missed invalidations. */
    public static final Metric REDIS_SUSPECT =
            Metric.gauge("cache.redis.suspect", "1 while the near tier may have missed invalidations.");

    private static final List<Metric> ALL = List.of(
            REDIS_HITS,
            REDIS_LEASES,
            REDIS_WAITS,
            REDIS_UNCACHED,
            REDIS_PAST,
            REDIS_UNREADABLE,
            REDIS_TOO_LARGE,
            REDIS_REFUSED_FILLS,
            REDIS_MESSAGES,
            REDIS_CLEARS,
            REDIS_REPEATED,
            REDIS_PENDING,
            REDIS_SUSPECT);

    private TwoTierMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }

    static void write(String cache, TierTotals totals, int pending, boolean suspect, Measured.Sink sink) {
        sink.value(cache, REDIS_HITS, (double) totals.hits.sum());
        sink.value(cache, REDIS_LEASES, (double) totals.leases.sum());
        sink.value(cache, REDIS_WAITS, (double) totals.waits.sum());
        sink.value(cache, REDIS_UNCACHED, (double) totals.uncached.sum());
        sink.value(cache, REDIS_PAST, (double) totals.pastRedis.sum());
        sink.value(cache, REDIS_UNREADABLE, (double) totals.unreadable.sum());
        sink.value(cache, REDIS_TOO_LARGE, (double) totals.tooLarge.sum());
        sink.value(cache, REDIS_REFUSED_FILLS, (double) totals.refusedFills.sum());
        sink.value(cache, REDIS_MESSAGES, (double) totals.messages.sum());
        sink.value(cache, REDIS_CLEARS, (double) totals.clears.sum());
        sink.value(cache, REDIS_REPEATED, (double) totals.repeated.sum());
        sink.value(cache, REDIS_PENDING, pending);
        sink.value(cache, REDIS_SUSPECT, suspect ? 1 : 0);
    }
}
