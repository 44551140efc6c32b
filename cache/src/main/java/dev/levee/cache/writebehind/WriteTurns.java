package dev.levee.cache.writebehind;

import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which keys of a shard may go to the store next, and when. Guarded by the lock of its shard. */
final class WriteTurns<K, V> {
    private final int batchSize;
    private final long delayNanos;
    private final TreeSet<WriteSlot<K, V>> retries = new TreeSet<>(WriteTurns::compare);

    /** The queue of fresh keys, linked through the slots, and how many there are. */
    private @Nullable WriteSlot<K, V> firstFresh;

    private @Nullable WriteSlot<K, V> lastFresh;
    private int fresh;

    /** How many of them are urgent. */
    private int urgentFresh;

    /** Whether a key has come that may be due before what was planned for. */
    private boolean news;

    /** Up to which position nothing waits for its delay. */
    private long urgent;

    WriteTurns(int batchSize, long delayNanos) {
        this.batchSize = batchSize;
        this.delayNanos = delayNanos;
    }

    private static int compare(WriteSlot<?, ?> one, WriteSlot<?, ?> other) {
        long byTime = one.notBefore - other.notBefore;
        return byTime != 0 ? Long.signum(byTime) : Long.compare(one.id, other.id);
    }

    int batchSize() {
        return batchSize;
    }

    /** Lets everything go without its delay that has a position, which all keys of the queue have. */
    void urge(long lastPosition) {
        urgent = lastPosition;
        urgentFresh = fresh;
    }

    private boolean isUrgent(WriteSlot<K, V> slot) {
        WriteOp<K, V> op = slot.pending;
        return op != null && op.position <= urgent;
    }

    /**
     * Puts a key into the queue of those that wait for their delay.
     *
     * @param byAge whether before the keys whose writes are younger, rather than at the end. Looks no further than for
     *     a batch: one is due without delay if as many are behind it
     */
    void addFresh(WriteSlot<K, V> slot, boolean byAge) {
        slot.queue = WriteSlot.Queue.FRESH;
        WriteSlot<K, V> before = lastFresh;
        for (int i = 0; byAge && i < batchSize && before != null && isYounger(before, slot); i++) {
            before = before.before;
        }
        WriteSlot<K, V> after = before == null ? firstFresh : before.after;
        slot.before = before;
        slot.after = after;
        if (before == null) {
            firstFresh = slot;
        } else {
            before.after = slot;
        }
        if (after == null) {
            lastFresh = slot;
        } else {
            after.before = slot;
        }
        fresh++;
        boolean isUrgent = isUrgent(slot); // one that had to wait for the write before it
        if (isUrgent) {
            urgentFresh++;
        }
        if (isUrgent || before == null || fresh >= batchSize) {
            news = true;
        }
    }

    private static boolean isYounger(WriteSlot<?, ?> one, WriteSlot<?, ?> other) {
        return one.pending != null && other.pending != null && one.pending.since - other.pending.since > 0;
    }

    boolean hasNews() {
        return news;
    }

    void noted() {
        news = false;
    }

    void addRetry(WriteSlot<K, V> slot, long notBefore) {
        slot.queue = WriteSlot.Queue.RETRY;
        slot.notBefore = notBefore;
        retries.add(slot);
    }

    void remove(WriteSlot<K, V> slot) {
        if (slot.queue == WriteSlot.Queue.FRESH) {
            removeFresh(slot);
        } else if (slot.queue == WriteSlot.Queue.RETRY) {
            retries.remove(slot);
        }
        slot.queue = WriteSlot.Queue.NONE;
    }

    private void removeFresh(WriteSlot<K, V> slot) {
        WriteSlot<K, V> before = slot.before;
        WriteSlot<K, V> after = slot.after;
        if (before == null) {
            firstFresh = after;
        } else {
            before.after = after;
        }
        if (after == null) {
            lastFresh = before;
        } else {
            after.before = before;
        }
        slot.before = null;
        slot.after = null;
        fresh--;
        if (isUrgent(slot)) {
            urgentFresh--;
        }
    }

    /** Ends all backoffs. */
    void wakeRetries() {
        for (WriteSlot<K, V> slot : List.copyOf(retries)) {
            remove(slot);
            addFresh(slot, false);
        }
    }

    boolean isEmpty() {
        return fresh == 0 && retries.isEmpty();
    }

    /** Returns the first key whose backoff has ended, or null. */
    @Nullable WriteSlot<K, V> dueRetry(long now) {
        return retries.isEmpty() || retries.first().notBefore - now > 0 ? null : retries.first();
    }

    /** Returns the first fresh key, or null. */
    @Nullable WriteSlot<K, V> firstFresh() {
        return firstFresh;
    }

    boolean isFreshDue(long now, boolean closing) {
        WriteSlot<K, V> first = firstFresh;
        if (first == null) {
            return false;
        }
        WriteOp<K, V> op = first.pending;
        return closing || fresh >= batchSize || urgentFresh > 0 || op == null || now - op.since >= delayNanos;
    }

    /** Returns how long nothing is due that is not due now. */
    long waitNanos(long now) {
        long wait = Long.MAX_VALUE;
        WriteSlot<K, V> first = firstFresh;
        if (first != null && first.pending != null) {
            wait = delayNanos - (now - first.pending.since);
        }
        if (!retries.isEmpty()) {
            wait = Math.min(wait, retries.first().notBefore - now);
        }
        return Math.max(wait, 1);
    }

    /** Whether all that waits does so for a backoff that ends after a time. */
    boolean allAfter(long until) {
        return fresh == 0 && !retries.isEmpty() && retries.first().notBefore - until > 0;
    }
}
