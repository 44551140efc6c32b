package dev.levee.cache.writebehind;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which keys of a shard may go to the store next, and when. Guarded by the lock of its shard. */
final class WriteTurns<K, V> {
    private final int batchSize;
    private final long delayNanos;
    private final LinkedHashSet<WriteSlot<K, V>> fresh = new LinkedHashSet<>();
    private final TreeSet<WriteSlot<K, V>> retries = new TreeSet<>(WriteTurns::compare);

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

    void urge(long position) {
        urgent = position;
    }

    void addFresh(WriteSlot<K, V> slot) {
        slot.queue = WriteSlot.Queue.FRESH;
        fresh.add(slot);
        if (fresh.size() == 1 || fresh.size() >= batchSize) {
            news = true;
        }
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
            fresh.remove(slot);
        } else if (slot.queue == WriteSlot.Queue.RETRY) {
            retries.remove(slot);
        }
        slot.queue = WriteSlot.Queue.NONE;
    }

    /** Ends all backoffs. */
    void wakeRetries() {
        for (WriteSlot<K, V> slot : List.copyOf(retries)) {
            remove(slot);
            addFresh(slot);
        }
    }

    boolean hasFresh() {
        return !fresh.isEmpty();
    }

    boolean isEmpty() {
        return fresh.isEmpty() && retries.isEmpty();
    }

    /** Returns the first key whose backoff has ended, or null. */
    @Nullable WriteSlot<K, V> dueRetry(long now) {
        return retries.isEmpty() || retries.first().notBefore - now > 0 ? null : retries.first();
    }

    /** Returns the first fresh key, or null. */
    @Nullable WriteSlot<K, V> firstFresh() {
        return fresh.isEmpty() ? null : fresh.iterator().next();
    }

    boolean isFreshDue(long now, boolean closing) {
        WriteSlot<K, V> first = firstFresh();
        if (first == null) {
            return false;
        }
        WriteOp<K, V> op = first.pending;
        return closing
                || fresh.size() >= batchSize
                || op == null
                || op.position <= urgent
                || now - op.since >= delayNanos;
    }

    /** Returns how long nothing is due that is not due now. */
    long waitNanos(long now) {
        long wait = Long.MAX_VALUE;
        WriteSlot<K, V> first = firstFresh();
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
        return fresh.isEmpty() && !retries.isEmpty() && retries.first().notBefore - until > 0;
    }
}
