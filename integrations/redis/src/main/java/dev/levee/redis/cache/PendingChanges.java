package dev.levee.redis.cache;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Invalidations that a server has not got, to be repeated in the order in which they came: a bounded number, and when
 * there are more one of all keys. Thread-safe.
 */
final class PendingChanges {
    private final int max;

    /** What is waiting, each with its turn; guarded by itself. */
    private final Map<ChangedKey, Long> waiting = new LinkedHashMap<>();

    /** The turn of the invalidation of all keys; 0 if none waits. Guarded by {@link #waiting}. */
    private long all;

    /** The last turn; guarded by {@link #waiting}. */
    private long last;

    PendingChanges(int max) {
        this.max = max;
    }

    /** What an invalidation is of: the bytes of a key, or of a tag. */
    record ChangedKey(ByteBuffer name, boolean isTag) {
        byte[] bytes() {
            byte[] copy = new byte[name.remaining()];
            name.duplicate().get(copy);
            return copy;
        }
    }

    /**
     * One that waits.
     *
     * @param of what it is of; null for all keys
     * @param turn grows with each that is added, so that one is known that was added again
     */
    record PendingChange(@Nullable ChangedKey of, long turn) {}

    void add(ChangedKey changed) {
        synchronized (waiting) {
            if (all > 0 || waiting.size() >= max) {
                addAll();
            } else {
                waiting.put(changed, ++last);
            }
        }
    }

    void addAll() {
        synchronized (waiting) {
            all = ++last;
            waiting.clear();
        }
    }

    /** Returns the first, which stays until it is {@link #told}; null if none waits. */
    @Nullable PendingChange first() {
        synchronized (waiting) {
            if (all > 0) {
                return new PendingChange(null, all);
            }
            for (Map.Entry<ChangedKey, Long> each : waiting.entrySet()) {
                return new PendingChange(each.getKey(), each.getValue());
            }
            return null;
        }
    }

    /** The server has got one. If it was added again meanwhile, it may have come too late for that, and waits on. */
    void told(PendingChange change) {
        synchronized (waiting) {
            if (change.of != null) {
                waiting.remove(change.of, change.turn);
            } else if (all == change.turn) {
                all = 0;
            }
        }
    }

    int size() {
        synchronized (waiting) {
            return all > 0 ? Math.max(1, max) : waiting.size();
        }
    }
}
