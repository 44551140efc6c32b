package dev.levee.cache.writebehind;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The writes of a shard that were accepted and have not ended, oldest first. Guarded by the lock of its shard. */
final class WriteList<K, V> {
    private @Nullable WriteOp<K, V> head;
    private @Nullable WriteOp<K, V> tail;
    private long lastPosition;

    long lastPosition() {
        return lastPosition;
    }

    @Nullable WriteOp<K, V> oldest() {
        return head;
    }

    void add(WriteOp<K, V> op) {
        op.position = ++lastPosition;
        op.older = tail;
        if (tail == null) {
            head = op;
        } else {
            tail.newer = op;
        }
        tail = op;
    }

    /** Puts a write in the place of an older one of its key. */
    void replace(WriteOp<K, V> old, WriteOp<K, V> op) {
        op.position = old.position;
        op.since = old.since;
        op.older = old.older;
        op.newer = old.newer;
        join(op.older, op);
        join(op, op.newer);
        old.older = null;
        old.newer = null;
    }

    /** Lets a newer write of the key, which has a place, take over that of an older one that has failed. */
    void succeed(WriteOp<K, V> old, WriteOp<K, V> op) {
        remove(op);
        replace(old, op);
    }

    void remove(WriteOp<K, V> op) {
        join(op.older, op.newer);
        op.older = null;
        op.newer = null;
    }

    private void join(@Nullable WriteOp<K, V> left, @Nullable WriteOp<K, V> right) {
        if (left == null) {
            head = right;
        } else {
            left.newer = right;
        }
        if (right == null) {
            tail = left;
        } else {
            right.older = left;
        }
    }

    /** Returns the writes; the list is empty then. */
    List<PendingWrite<K, V>> drain() {
        List<PendingWrite<K, V>> writes = new ArrayList<>();
        for (WriteOp<K, V> op = head; op != null; op = op.newer) {
            writes.add(op.write());
        }
        head = null;
        tail = null;
        return writes;
    }
}
