package dev.levee.redis;

import dev.levee.core.Environment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What this process knows of the times of shards: for each the time of an answer, and the reading of its own clock
 * before that was asked for. By the time of another question it is at most as much later as has passed here, so a clock
 * of the server that was set ahead in between moves it no further. See ADR 147.
 */
final class ShardTimes {
    private static final long NANOS_PER_MICRO = 1000;

    private final Environment environment;
    private final AtomicReferenceArray<@Nullable Claim> anchors;

    ShardTimes(int shards, Environment environment) {
        this.environment = environment;
        this.anchors = new AtomicReferenceArray<>(shards);
    }

    /** Returns the latest time that a shard can have now, at most a given one. */
    Claim claim(int shard, long latestMicros) {
        long now = environment.clock().nanoTime();
        Claim anchor = anchors.get(shard);
        long own = anchor == null
                ? Long.MAX_VALUE
                : anchor.micros + Math.max(0, now - anchor.nanos) / NANOS_PER_MICRO;
        return new Claim(Math.max(0, Math.min(latestMicros, own)), now, anchor == null);
    }

    /**
     * Keeps the time of an answer, unless it is the one that was claimed: an earlier answer leads to that, and is not
     * rounded as often.
     */
    void learn(int shard, long micros, Claim claimed) {
        if (micros == claimed.micros) {
            return;
        }
        Claim learnt = new Claim(micros, claimed.nanos, false);
        while (true) {
            Claim seen = anchors.get(shard);
            if ((seen != null && seen.nanos - learnt.nanos > 0) || anchors.compareAndSet(shard, seen, learnt)) {
                return;
            }
        }
    }

    /**
     * A time of a shard.
     *
     * @param nanos the reading of the clock at which it was not later than that
     * @param isFirst whether nothing was known of the shard
     */
    record Claim(long micros, long nanos, boolean isFirst) {}
}
