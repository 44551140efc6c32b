package dev.levee.redis.cache;

import java.util.concurrent.atomic.LongAdder;

/** What the Redis tier of a cache counts; none of it on a hit in the near cache. */
final class TierTotals {
    final LongAdder hits = new LongAdder();
    final LongAdder leases = new LongAdder();
    final LongAdder waits = new LongAdder();
    final LongAdder uncached = new LongAdder();
    final LongAdder pastRedis = new LongAdder();
    final LongAdder unreadable = new LongAdder();
    final LongAdder tooLarge = new LongAdder();
    final LongAdder refusedFills = new LongAdder();
    final LongAdder messages = new LongAdder();
    final LongAdder clears = new LongAdder();
    final LongAdder repeated = new LongAdder();
}
