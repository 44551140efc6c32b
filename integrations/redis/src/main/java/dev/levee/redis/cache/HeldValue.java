package dev.levee.redis.cache;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A value as the near cache holds it, with what is known of it. Immutable.
 *
 * @param value the value; null if the store has none
 * @param tags the tags of the value
 * @param label the sequence number of changes before the store was read: what was changed up to it is in the value; 0
 *     if it is not known
 * @param readAtNanos a reading of the clock not later than when the store was read
 * @param aged whether that is known
 * @param keep how long the near cache may hold it
 */
record HeldValue<V>(@Nullable V value, Set<String> tags, long label, long readAtNanos, boolean aged, Keep keep) {
    /** How long the near cache may hold a value. */
    enum Keep {
        /** As long as its settings say. */
        FULL,
        /** As long as a value may be served while it is not known whether it was invalidated. */
        BRIEF,
        /** Not at all: its key is being written. */
        NONE
    }

    HeldValue<V> kept(Keep other) {
        return new HeldValue<>(value, tags, label, readAtNanos, aged, other);
    }

    Duration life(Duration full, Duration brief, boolean trusted) {
        if (keep == Keep.NONE) {
            return Duration.ZERO;
        }
        return (keep == Keep.FULL && trusted) || full.compareTo(brief) <= 0 ? full : brief;
    }
}
