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
        sink.value(name, "cache.hits", hits.doubleValue());
        sink.value(name, "cache.misses", misses.doubleValue());
        sink.value(name, "cache.loads", loads.doubleValue());
        sink.value(name, "cache.loads.shared", sharedLoads.doubleValue());
        sink.value(name, "cache.load.failures", loadFailures.doubleValue());
        sink.value(name, "cache.load.nanos", loadNanos.doubleValue());
        sink.value(name, "cache.evictions", evictions.doubleValue());
        sink.value(name, "cache.hits.absent", absent.doubleValue());
        sink.value(name, "cache.hits.failed", cachedFailures.doubleValue());
        sink.value(name, "cache.stale", stale.doubleValue());
        sink.value(name, "cache.refreshes", refreshes.doubleValue());
        sink.value(name, "cache.refresh.failures", refreshFailures.doubleValue());
        sink.value(name, "cache.refreshes.refused", refusedRefreshes.doubleValue());
    }
}
