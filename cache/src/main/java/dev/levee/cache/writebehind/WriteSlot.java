package dev.levee.cache.writebehind;

import org.jspecify.annotations.Nullable;

/**
 * What is under way for one key.
 *
 * <pre>{@code
 * pending   the newest accepted write that is not on its way, or null
 * flying    the one that is on its way, or null; pending waits for it
 * }</pre>
 *
 * Guarded by the lock of its shard.
 */
final class WriteSlot<K, V> {
    /** Where the pending write waits. */
    enum Queue {
        /** Nowhere: there is none, or another write of the key is on its way. */
        NONE,
        /** For its delay, or a worker. */
        FRESH,
        /** For its backoff. */
        RETRY
    }

    final K key;

    /** Tells slots apart whose backoff ends at the same time. */
    final long id;

    @Nullable WriteOp<K, V> pending;

    @Nullable WriteOp<K, V> flying;

    Queue queue = Queue.NONE;

    /** Its neighbours in the queue of fresh keys. */
    @Nullable WriteSlot<K, V> before;

    @Nullable WriteSlot<K, V> after;

    /** When the backoff ends, by the clock. */
    long notBefore;

    /** Whether a caller writes the store itself at the moment; {@link #flying} is null then. */
    boolean direct;

    /** How many writes of the key are being appended to the journal. */
    int appends;

    /** A write that the journal may forget as soon as nothing is appended any more. */
    @Nullable PendingWrite<K, V> owed;

    /** The greatest sequence that was accepted since the slot is there. */
    long newest;

    /**
     * Whether a worker came for the pending write while its room was lent to one that was being appended. Then none is
     * lent again until the key has gone to the store: one that is written all the time would never get there.
     */
    boolean wanted;

    /** A dead letter whose value is still read. */
    @Nullable DeadWrite<K, V> kept;

    WriteSlot(K key, long id) {
        this.key = key;
        this.id = id;
    }

    boolean isBusy() {
        return flying != null || direct;
    }

    boolean isIdle() {
        return pending == null && !isBusy() && appends == 0 && owed == null && kept == null;
    }
}
