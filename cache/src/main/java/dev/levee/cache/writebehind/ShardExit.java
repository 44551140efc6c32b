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
        shard.enter();
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
            shard.leave();
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
            slot.wanted = op != null;
            return;
        }
        batch.add(slot);
        slot.pending = null;
        slot.flying = op;
        slot.wanted = false;
        shard.pending--;
        shard.inFlight++;
    }

    /** Returns what the worker has to do: zero to begin now, or after how many nanoseconds, or the given number. */
    long planned(long now, long nothing) {
        shard.enter();
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
            shard.leave();
        }
    }

    /** The timer has run, or could not be set. */
    void timerIsGone() {
        shard.enter();
        try {
            shard.timed = false;
        } finally {
            shard.leave();
        }
    }

    /** The worker could not be started, or has ended before its time. */
    void stopped() {
        shard.enter();
        try {
            shard.running = false;
        } finally {
            shard.leave();
        }
    }

    /**
     * Returns the write of a slot that is on its way, or null if it has ended or was handed back. Without the lock:
     * only the worker, which asks, sends writes on their way and ends that.
     */
    @Nullable WriteOp<K, V> flying(WriteSlot<K, V> slot) {
        return shard.sealed ? null : slot.flying;
    }

    /** The store has writes that are on their way. Returns those that the journal may forget now. */
    List<PendingWrite<K, V>> settled(List<WriteSlot<K, V>> written) {
        List<PendingWrite<K, V>> settled = new ArrayList<>(written.size());
        shard.enter();
        try {
            for (WriteSlot<K, V> slot : written) {
                WriteOp<K, V> op = slot.flying;
                PendingWrite<K, V> write = op == null ? null : shard.settled(slot, op.write());
                if (write != null) {
                    settled.add(write);
                }
            }
        } finally {
            shard.leave();
        }
        return settled;
    }

    /** Writes on their way have ended: the store has them, and the journal has forgotten them. */
    void wrote(List<WriteSlot<K, V>> written) {
        shard.enter();
        try {
            for (WriteSlot<K, V> slot : written) {
                wrote(slot);
            }
        } finally {
            shard.leave();
        }
    }

    private void wrote(WriteSlot<K, V> slot) {
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
    }

    /** The write on its way has failed: it waits until a time, unless a newer one is there. */
    void failed(WriteSlot<K, V> slot, long notBefore) {
        shard.enter();
        try {
            WriteOp<K, V> op = slot.flying;
            slot.dying = false;
            if (op == null || shard.sealed) {
                return; // after a close it is still read
            }
            slot.flying = null;
            WriteOp<K, V> newer = slot.pending;
            if (newer != null) {
                shard.coalesced++;
                shard.inFlight--;
                shard.list.succeed(op, newer);
                shard.room.give(op.places, op.bytes);
                shard.next(slot, false);
            } else {
                slot.pending = op;
                shard.inFlight--;
                shard.pending++;
                shard.turns.addRetry(slot, notBefore);
            }
        } finally {
            shard.leave();
        }
    }

    /**
     * Whether the write on its way may be given up: nothing newer is there or about to be. If that blocks the key,
     * nothing newer comes from here on.
     */
    boolean mayDie(WriteSlot<K, V> slot) {
        shard.enter();
        try {
            boolean mayDie = slot.flying != null && slot.pending == null && !slot.isAppending() && !shard.sealed;
            slot.dying = mayDie && shard.whenDead == DeadKey.BLOCK;
            return mayDie;
        } finally {
            shard.leave();
        }
    }

    /** Whether the write on its way, if it dies, is the newest of its key until its letter is replayed or discarded. */
    boolean blocks(WriteSlot<K, V> slot) {
        shard.enter();
        try {
            return slot.dying && slot.letters == 0;
        } finally {
            shard.leave();
        }
    }

    /** The write on its way is given up; false if it has been handed back already. */
    boolean died(WriteSlot<K, V> slot, DeadWrite<K, V> letter) {
        shard.enter();
        try {
            WriteOp<K, V> op = slot.flying;
            slot.dying = false;
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
            if (shard.whenDead == DeadKey.BLOCK) {
                slot.letters++;
            }
            shard.next(slot);
            return true;
        } finally {
            shard.leave();
        }
    }
}
