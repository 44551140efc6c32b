package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.core.internal.ServerLead;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What this process knows of the times of shards: the most by which the time of an answer was ahead of its own clock
 * before that was asked for. By the time of another question it is at most as much ahead, so a clock of the server that
 * was set ahead in between moves it no further. See ADR 147.
 */
final class ShardTimes {
    static final long NANOS_PER_MICRO = 1000;

    private final Environment environment;
    private final AtomicReferenceArray<@Nullable ServerLead> leads;

    ShardTimes(int shards, Environment environment) {
        this.environment = environment;
        this.leads = new AtomicReferenceArray<>(shards);
    }

    /** Returns the latest time that a shard can have now, at most a given one. */
    TimeClaim claim(int shard, long latestMicros) {
        long now = environment.clock().nanoTime();
        ServerLead lead = leads.get(shard);
        long own = lead == null ? Long.MAX_VALUE : Math.floorDiv(now + lead.nanos(), NANOS_PER_MICRO);
        return new TimeClaim(Math.max(0, Math.min(latestMicros, own)), now, lead == null);
    }

    /** Takes the time of an answer. */
    void learn(int shard, long micros, TimeClaim claimed) {
        ServerLead seen;
        do {
            seen = leads.get(shard);
        } while (!leads.compareAndSet(shard, seen, ServerLead.after(seen, micros * NANOS_PER_MICRO, claimed.nanos)));
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
