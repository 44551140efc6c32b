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

    void write(String name, Measured.Sink sink) {
        sink.value(name, "cache.hits", hits.doubleValue());
        sink.value(name, "cache.misses", misses.doubleValue());
        sink.value(name, "cache.loads", loads.doubleValue());
        sink.value(name, "cache.loads.shared", sharedLoads.doubleValue());
        sink.value(name, "cache.load.failures", loadFailures.doubleValue());
        sink.value(name, "cache.load.nanos", loadNanos.doubleValue());
        sink.value(name, "cache.evictions", evictions.doubleValue());
    }
}
