package dev.levee.redis;

import dev.levee.core.Environment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What this process knows of the times of shards: the most by which the time of an answer was ahead of its own clock
 * before that was asked for. By the time of another question it is at most as much ahead, so a clock of the server that
 * was set ahead in between moves it no further. See ADR 147.
 */
final class ShardTimes {
    private static final long NANOS_PER_MICRO = 1000;

    /** How fast it follows answers that say less, so that it forgets one that was slow: by one part in so many. */
    private static final int FOLLOW = 16;

    private final Environment environment;
    private final AtomicReferenceArray<@Nullable Long> aheadNanos;

    ShardTimes(int shards, Environment environment) {
        this.environment = environment;
        this.aheadNanos = new AtomicReferenceArray<>(shards);
    }

    /** Returns the latest time that a shard can have now, at most a given one. */
    TimeClaim claim(int shard, long latestMicros) {
        long now = environment.clock().nanoTime();
        Long ahead = aheadNanos.get(shard);
        long own = ahead == null ? Long.MAX_VALUE : Math.floorDiv(now + ahead, NANOS_PER_MICRO);
        return new TimeClaim(Math.max(0, Math.min(latestMicros, own)), now, ahead == null);
    }

    /** Takes the time of an answer. */
    void learn(int shard, long micros, TimeClaim claimed) {
        long upper = micros * NANOS_PER_MICRO - claimed.nanos;
        while (true) {
            Long seen = aheadNanos.get(shard);
            Long next = upper;
            if (seen != null && seen - upper > 0) {
                next = seen - Math.max(1, (seen - upper) / FOLLOW);
            }
            if (aheadNanos.compareAndSet(shard, seen, next)) {
                return;
            }
        }
    }

    /**
     * What is sent with a question.
     *
     * @param micros the latest time that it can be
     * @param nanos the reading of the clock before it is sent
     * @param isFirst whether nothing was known of the shard
     */
    record TimeClaim(long micros, long nanos, boolean isFirst) {}
}
