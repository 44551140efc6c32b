package dev.levee.cache.writebehind;

import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which keys of a shard may go to the store next, and when. Guarded by the lock of its shard. */
final class WriteTurns<K, V> {
    private final int batchSize;
    private final long delayNanos;
    private final TreeSet<WriteSlot<K, V>> retries = new TreeSet<>(WriteTurns::compare);

    /** Fresh keys in the order of their writes, linked through the slots. */
    private @Nullable WriteSlot<K, V> firstFresh;

    private @Nullable WriteSlot<K, V> lastFresh;

    /** Fresh keys whose write waited for the one before it, and is older than the last of the queue. */
    private final TreeSet<WriteSlot<K, V>> late = new TreeSet<>(WriteTurns::compare);

    /** How many fresh keys there are, in the queue and late. */
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
     * Lets a key wait for its delay.
     *
     * @param byAge whether before the keys whose writes are younger, rather than after all others
     */
    void addFresh(WriteSlot<K, V> slot, boolean byAge) {
        boolean first;
        WriteSlot<K, V> last = lastFresh;
        if (byAge && last != null && slot.pending != null && isYounger(last, slot)) {
            slot.queue = WriteSlot.Queue.LATE;
            slot.notBefore = slot.pending.since;
            late.add(slot);
            first = firstFresh() == slot;
        } else {
            slot.queue = WriteSlot.Queue.FRESH;
            slot.before = last;
            if (last == null) {
                firstFresh = slot;
            } else {
                last.after = slot;
            }
            lastFresh = slot;
            first = last == null;
        }
        fresh++;
        boolean isUrgent = isUrgent(slot); // one that had to wait for the write before it
        if (isUrgent) {
            urgentFresh++;
        }
        if (isUrgent || first || fresh >= batchSize) {
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
            unlink(slot);
            leftFresh(slot);
        } else if (slot.queue == WriteSlot.Queue.LATE) {
            late.remove(slot);
            leftFresh(slot);
        } else if (slot.queue == WriteSlot.Queue.RETRY) {
            retries.remove(slot);
        }
        slot.queue = WriteSlot.Queue.NONE;
    }

    private void unlink(WriteSlot<K, V> slot) {
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
    }

    private void leftFresh(WriteSlot<K, V> slot) {
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

    /** Returns the fresh key with the oldest write, or null. */
    @Nullable WriteSlot<K, V> firstFresh() {
        WriteSlot<K, V> queued = firstFresh;
        if (late.isEmpty()) {
            return queued;
        }
        WriteSlot<K, V> oldest = late.first();
        return queued == null || isYounger(queued, oldest) ? oldest : queued;
    }

    boolean isFreshDue(long now, boolean closing) {
        WriteSlot<K, V> first = firstFresh();
        if (first == null) {
            return false;
        }
        WriteOp<K, V> op = first.pending;
        return closing || fresh >= batchSize || urgentFresh > 0 || op == null || now - op.since >= delayNanos;
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
        return fresh == 0 && !retries.isEmpty() && retries.first().notBefore - until > 0;
    }
}
