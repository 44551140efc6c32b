package dev.levee.cache.writebehind;

import java.util.ArrayList;
import java.util.List;
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
        /** As above, but not at the end of the queue: it has waited for another write of the key. */
        LATE,
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

    /** When the backoff ends, by the clock; of a late one, how old its write is. */
    long notBefore;

    /** Whether a caller writes the store itself at the moment; {@link #flying} is null then. */
    boolean direct;

    /** The writes of the key that are being appended to the journal; a list of its own as soon as there was one. */
    private List<WriteOp<K, V>> appending = List.of();

    /** How many of those, and of the pending write, share one place, and its bytes: whose places are 0. See ADR 204. */
    int sharers;

    long sharedBytes;

    /** A write that the journal may forget as soon as nothing is appended any more. */
    @Nullable PendingWrite<K, V> owed;

    /** The greatest sequence that was accepted since the slot is there. */
    long newest;

    /**
     * Whether a worker came for the pending write while it shared its place with one that was being appended. Then no
     * more share it until the key has gone to the store: one that is written all the time would never get there.
     */
    boolean wanted;

    /** A dead letter whose value is still read. */
    @Nullable DeadWrite<K, V> kept;

    /** How many dead letters there are; counted where they block the key. */
    int letters;

    /** Whether the write on its way is about to become a dead letter that blocks the key. */
    boolean dying;

    WriteSlot(K key, long id) {
        this.key = key;
        this.id = id;
    }

    boolean isBusy() {
        return flying != null || direct;
    }

    boolean isIdle() {
        return pending == null && !isBusy() && !isAppending() && owed == null && kept == null && letters == 0;
    }

    boolean isAppending() {
        return !appending.isEmpty();
    }

    void beginAppend(WriteOp<K, V> op) {
        if (!(appending instanceof ArrayList)) {
            appending = new ArrayList<>(2);
        }
        appending.add(op);
    }

    void endAppend(WriteOp<K, V> op) {
        appending.remove(op);
    }

    /** Returns a write that is not on its way and holds a place, or shares one, as told; null if there is none. */
    @Nullable WriteOp<K, V> waiting(boolean sharing) {
        for (WriteOp<K, V> op : appending) {
            if ((op.places == 0) == sharing) {
                return op;
            }
        }
        return pending != null && (pending.places == 0) == sharing ? pending : null;
    }
}
