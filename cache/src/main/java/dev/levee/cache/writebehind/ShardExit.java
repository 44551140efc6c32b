package dev.levee.cache.writebehind;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where writes leave a shard: on their way to the store, and when they are back. */
final class ShardExit<K, V> {
    private final WriteShard<K, V> shard;
    private final DeadBox<K, V> box;

    ShardExit(WriteShard<K, V> shard, DeadBox<K, V> box) {
        this.shard = shard;
        this.box = box;
    }

    /** Takes what is due, for the worker; if there is nothing, the worker has ended. */
    List<WriteSlot<K, V>> take(long now) {
        shard.lock.lock();
        try {
            List<WriteSlot<K, V>> batch = new ArrayList<>();
            if (!shard.sealed) {
                WriteTurns<K, V> turns = shard.turns;
                int most = takeRetries(now, batch);
                if (turns.isFreshDue(now, shard.closing)) {
                    WriteSlot<K, V> slot;
                    while (batch.size() < most && (slot = turns.firstFresh()) != null) {
                        depart(slot, batch);
                    }
                }
            }
            shard.running = !batch.isEmpty();
            return batch;
        } finally {
            shard.lock.unlock();
        }
    }

    /** Takes what has waited for its backoff; returns how many writes may be in the batch. */
    private int takeRetries(long now, List<WriteSlot<K, V>> batch) {
        int most = shard.turns.batchSize();
        WriteSlot<K, V> slot;
        while (batch.size() < most && (slot = shard.turns.dueRetry(now)) != null) {
            int limit = slot.pending == null ? most : slot.pending.limit;
            if (!batch.isEmpty() && limit <= batch.size()) {
                return batch.size();
            }
            most = Math.min(most, limit);
            depart(slot, batch);
        }
        return most;
    }

    private void depart(WriteSlot<K, V> slot, List<WriteSlot<K, V>> batch) {
        shard.turns.remove(slot);
        WriteOp<K, V> op = slot.pending;
        if (op == null || op.places == 0) { // a newer one is about to replace it, and brings the slot back
            return;
        }
        batch.add(slot);
        slot.pending = null;
        slot.flying = op;
        slot.lent = false;
        shard.pending--;
        shard.inFlight++;
    }

    /** Returns what the worker has to do: zero to begin now, or after how many nanoseconds, or the given number. */
    long planned(long now, long nothing) {
        shard.lock.lock();
        try {
            if (!shard.hasWork()) {
                return nothing;
            }
            shard.turns.noted();
            if (shard.turns.dueRetry(now) != null || shard.turns.isFreshDue(now, shard.closing)) {
                shard.running = true;
                return 0;
            }
            shard.timed = true;
            return shard.turns.waitNanos(now);
        } finally {
            shard.lock.unlock();
        }
    }

    /** The timer has run, or could not be set. */
    void timerIsGone() {
        shard.lock.lock();
        try {
            shard.timed = false;
        } finally {
            shard.lock.unlock();
        }
    }

    /** The worker could not be started, or has ended before its time. */
    void stopped() {
        shard.lock.lock();
        try {
            shard.running = false;
        } finally {
            shard.lock.unlock();
        }
    }

    /** Returns the write of a slot that is on its way, or null if it has ended or was handed back. */
    @Nullable WriteOp<K, V> flying(WriteSlot<K, V> slot) {
        shard.lock.lock();
        try {
            return shard.sealed ? null : slot.flying;
        } finally {
            shard.lock.unlock();
        }
    }

    /** The store has the write that is on its way. Returns it if the journal may forget it now, or null. */
    @Nullable PendingWrite<K, V> settled(WriteSlot<K, V> slot) {
        shard.lock.lock();
        try {
            WriteOp<K, V> op = slot.flying;
            return op == null ? null : shard.settled(slot, op.write);
        } finally {
            shard.lock.unlock();
        }
    }

    /** The write on its way has ended: the store has it, and the journal has forgotten it. */
    void wrote(WriteSlot<K, V> slot) {
        shard.lock.lock();
        try {
            WriteOp<K, V> op = slot.flying;
            if (op == null) {
                return;
            }
            slot.flying = null;
            if (!shard.sealed) {
                shard.written++;
                shard.end(op);
            }
            shard.next(slot);
        } finally {
            shard.lock.unlock();
        }
    }

    /** The write on its way has failed: it waits until a time, unless a newer one is there. */
    void failed(WriteSlot<K, V> slot, long notBefore) {
        shard.lock.lock();
        try {
            WriteOp<K, V> op = slot.flying;
            if (op == null || shard.sealed) {
                return; // after a close it is still read
            }
            slot.flying = null;
            if (slot.pending != null) {
                shard.coalesced++;
                shard.end(op);
                shard.next(slot);
            } else {
                slot.pending = op;
                shard.inFlight--;
                shard.pending++;
                shard.turns.addRetry(slot, notBefore);
            }
        } finally {
            shard.lock.unlock();
        }
    }

    /** Whether the write on its way may be given up: nothing newer is there or about to be. */
    boolean mayDie(WriteSlot<K, V> slot) {
        shard.lock.lock();
        try {
            return slot.flying != null && slot.pending == null && slot.appends == 0 && !shard.sealed;
        } finally {
            shard.lock.unlock();
        }
    }

    /** The write on its way is given up; false if it has been handed back already. */
    boolean died(WriteSlot<K, V> slot, DeadWrite<K, V> letter) {
        shard.lock.lock();
        try {
            WriteOp<K, V> op = slot.flying;
            if (op == null || shard.sealed) {
                return false;
            }
            slot.flying = null;
            shard.dead++;
            shard.end(op);
            box.add(letter);
            if (shard.whenDead != DeadKey.EVICT && slot.pending == null) {
                slot.kept = letter;
            }
            shard.next(slot);
            return true;
        } finally {
            shard.lock.unlock();
        }
    }
}
