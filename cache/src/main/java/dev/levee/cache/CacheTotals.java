package dev.levee.cache;

import dev.levee.core.Measured;
import java.util.concurrent.atomic.LongAdder;

/** Counts of calls of a cache; kept only on demand, because each costs a write a call. See ADR 13. */
final class CacheTotals {
    final LongAdder hits = new LongAdder();
    final LongAdder misses = new LongAdder();
    final LongAdder loads = new LongAdder();
    final LongAdder sharedLoads = new LongAdder();
    final LongAdder loadFailures = new LongAdder();
    final LongAdder loadNanos = new LongAdder();
    final LongAdder evictions = new LongAdder();
    final LongAdder stale = new LongAdder();
    final LongAdder absent = new LongAdder();
    final LongAdder cachedFailures = new LongAdder();
    final LongAdder refreshes = new LongAdder();
    final LongAdder refreshFailures = new LongAdder();
    final LongAdder refusedRefreshes = new LongAdder();

    void countHit(CacheEntry<?> served) {
        hits.increment();
        if (!served.hasValue()) {
            (served.failure == null ? absent : cachedFailures).increment();
        }
    }

    void write(String name, Measured.Sink sink) {
        sink.value(name, CacheMetrics.CACHE_HITS, hits.doubleValue());
        sink.value(name, CacheMetrics.CACHE_MISSES, misses.doubleValue());
        sink.value(name, CacheMetrics.CACHE_LOADS, loads.doubleValue());
        sink.value(name, CacheMetrics.CACHE_LOADS_SHARED, sharedLoads.doubleValue());
        sink.value(name, CacheMetrics.CACHE_LOAD_FAILURES, loadFailures.doubleValue());
        sink.value(name, CacheMetrics.CACHE_LOAD, loadNanos.doubleValue());
        sink.value(name, CacheMetrics.CACHE_EVICTIONS, evictions.doubleValue());
        sink.value(name, CacheMetrics.CACHE_HITS_ABSENT, absent.doubleValue());
        sink.value(name, CacheMetrics.CACHE_HITS_FAILED, cachedFailures.doubleValue());
        sink.value(name, CacheMetrics.CACHE_STALE, stale.doubleValue());
        sink.value(name, CacheMetrics.CACHE_REFRESHES, refreshes.doubleValue());
        sink.value(name, CacheMetrics.CACHE_REFRESH_FAILURES, refreshFailures.doubleValue());
        sink.value(name, CacheMetrics.CACHE_REFRESHES_REFUSED, refusedRefreshes.doubleValue());
    }
}
