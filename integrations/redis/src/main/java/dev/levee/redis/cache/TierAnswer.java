package dev.levee.redis.cache;

import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/** What the script that reads has answered for a key. */
final class TierAnswer {
    final int kind;
    final long seq;

    /** The time of the server. */
    final long serverMillis;

    /** Whether replicas may not have what was invalidated a moment ago. */
    final boolean settling;

    /** The bytes of the value, if there is one. */
    final byte @Nullable [] value;

    TierAnswer(int kind, long seq, long serverMillis, boolean settling, byte @Nullable [] value) {
        this.kind = kind;
        this.seq = seq;
        this.serverMillis = serverMillis;
        this.settling = settling;
        this.value = value;
    }

    long ageNanos(long readAtMillis) {
        long millis = serverMillis - readAtMillis;
        return millis < 0 ? -1 : Nanos.multiply(1_000_000L, (double) millis);
    }
}
