package dev.levee.cache.writebehind;

import dev.levee.cache.writebehind.WriteTicket.Ruling;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one worker: what is under way for each. {@link ShardDoor} lets writes in, {@link ShardExit} sends them to
 * the store.
 *
 * <p><b>Invariants.</b> Each change is one step under the lock, in which no code of the user runs but {@code equals}
 * and {@code hashCode} of keys. Of a key at most one write is on its way, and the others are newer. A write that was
 * accepted is in the list until exactly one of the counters has counted its end. See ADR 107.
 */
final class WriteShard<K, V> {
    /** How often a thread tries to get the lock before it parks; it is held for some hundred nanoseconds at a time. */
    private static final int SPINS = 64;

    /** Guards everything here, in the slots and the writes. */
    private final ReentrantLock lock = new ReentrantLock();

    final WriteRoom room;
    final DeadKey whenDead;
    final WriteList<K, V> list = new WriteList<>();
    final WriteTurns<K, V> turns;

    private final boolean journaled;
    private final Map<K, WriteSlot<K, V>> slots = new HashMap<>();
    private long lastId;

    /** Whether a worker is there, or about to be. */
    boolean running;

    /** Whether a timer is set for what is due first, as far as is known. */
    boolean timed;

    /** Whether nothing more is accepted. */
    boolean closing;

    /** Whether everything has ended, and what comes late changes nothing. Read without the lock by the worker. */
    volatile boolean sealed;

    /** Writes that are being appended to the journal. */
    int appends;

    /** Writes that callers are making themselves. */
    int directs;

    long accepted;
    long written;
    long coalesced;
    long dead;
    long dropped;
    long returned;
    int pending;
    int inFlight;

    WriteShard(WriteBehindConfig<?, ?> config, WriteRoom room, int batchSize) {
        this.room = room;
        this.whenDead = config.whenDead();
        this.journaled = config.journal() != null;
        this.turns = new WriteTurns<>(batchSize, config.delayNanos());
    }

    @Nullable WriteSlot<K, V> slot(K key) {
        return slots.get(key);
    }

    WriteSlot<K, V> slotOrNew(K key) {
        return slots.computeIfAbsent(key, it -> new WriteSlot<>(it, ++lastId));
    }

    /** Takes the lock. To park and to be woken costs a hundred times what the other thread needs to be done. */
    void enter() {
        for (int i = 0; i < SPINS; i++) {
            if (lock.tryLock()) {
                return;
            }
            Thread.onSpinWait();
        }
        lock.lock();
    }

    void leave() {
        lock.unlock();
    }

    /** Accepts a write in place of the one that waits, which holds its room already. */
    void replace(WriteOp<K, V> op, WriteTicket<K, V> ticket, long sequence) {
        accepted++;
        coalesced++;
        op.become(ticket.value, sequence, ticket.at, ticket.bytes);
        op.slot.newest = sequence;
    }

    void install(WriteSlot<K, V> slot, WriteOp<K, V> op) {
        accepted++;
        slot.newest = op.sequence();
        slot.kept = null;
        WriteOp<K, V> old = slot.pending;
        slot.pending = op;
        if (old == null) {
            list.add(op);
            pending++;
        } else {
            coalesced++;
            list.replace(old, op);
            release(old);
        }
        next(slot);
    }

    /** Gives back the room of a write that has left its slot; the last of those that shared a place has it alone. */
    void release(WriteOp<K, V> op) {
        WriteSlot<K, V> slot = op.slot;
        if (op.places > 0) {
            room.give(op.places, op.bytes);
        } else if (--slot.sharers == 1) {
            WriteOp<K, V> last = slot.waiting(true);
            long bytes = last == null ? 0 : last.bytes;
            if (last != null) {
                last.places = 1;
            }
            room.give(last == null ? 1 : 0, slot.sharedBytes - bytes);
            slot.sharers = 0;
            slot.sharedBytes = 0;
        }
    }

    /** Puts the pending write of a slot where it waits, or forgets a slot of which nothing is left. */
    void next(WriteSlot<K, V> slot) {
        next(slot, true);
    }

    /**
     * As above.
     *
     * @param byAge whether before what is younger; not where the store has failed, or it could hold up all others
     */
    void next(WriteSlot<K, V> slot, boolean byAge) {
        WriteOp<K, V> op = slot.pending;
        if (op == null) {
            if (slot.isIdle()) {
                forget(slot);
            }
        } else if (slot.queue == WriteSlot.Queue.NONE && !slot.isBusy() && (op.places > 0 || !slot.wanted)) {
            turns.addFresh(slot, byAge);
        }
    }

    private void forget(WriteSlot<K, V> slot) {
        try {
            slots.remove(slot.key, slot);
        } catch (RuntimeException | StackOverflowError broken) {
            // A key whose equals throws: the slot stays, and is idle.
        }
    }

    /** Ends a write that was on its way. */
    void end(WriteOp<K, V> op) {
        list.remove(op);
        inFlight--;
        room.give(op.places, op.bytes);
    }

    /** Returns the write if the journal may forget it now, or null if it may only later. */
    @Nullable PendingWrite<K, V> settled(WriteSlot<K, V> slot, PendingWrite<K, V> write) {
        if (!slot.isAppending()) {
            return write;
        }
        slot.owed = write;
        return null;
    }

    boolean hasWork() {
        return !running && !sealed && !turns.isEmpty();
    }

    /** Whether the worker, or its timer, has to be looked after. */
    boolean needsPlan() {
        return (!timed || turns.hasNews()) && hasWork();
    }

    /** Returns the newest accepted write of a key that the store may not have, or null. */
    @Nullable PendingWrite<K, V> find(K key) {
        enter();
        try {
            WriteSlot<K, V> slot = slots.get(key);
            if (slot == null) {
                return null;
            }
            WriteOp<K, V> op = slot.pending != null ? slot.pending : slot.flying;
            if (op != null) {
                return op.write();
            }
            return slot.kept == null ? null : slot.kept.write();
        } finally {
            leave();
        }
    }

    /** Returns how long ago the oldest write was accepted that can be dropped; negative if there is none. */
    long droppableAge(long now) {
        enter();
        try {
            WriteOp<K, V> op = droppable();
            return op == null ? -1 : Math.max(now - op.since, 0);
        } finally {
            leave();
        }
    }

    private @Nullable WriteOp<K, V> droppable() {
        return droppableFrom(list.oldest());
    }

    private @Nullable WriteOp<K, V> droppableFrom(@Nullable WriteOp<K, V> oldest) {
        WriteOp<K, V> op = oldest;
        while (op != null && !mayBeDropped(op)) {
            op = op.newer;
        }
        return op;
    }

    /** A journal has the newest write of a key alone: without it, one that is on its way would be in none. */
    private boolean mayBeDropped(WriteOp<K, V> op) {
        WriteSlot<K, V> slot = op.slot;
        return slot.pending == op && !slot.isAppending() && !(journaled && slot.flying != null);
    }

    /** Counts the room of the writes that can be dropped, until that is enough. */
    void countDroppable(WriteRoom.Missing missing) {
        enter();
        try {
            WriteOp<K, V> op = droppable();
            while (op != null && missing.isSomething()) {
                missing.less(op.places, op.bytes);
                op = droppableFrom(op.newer);
            }
        } finally {
            leave();
        }
    }

    /** Drops the oldest write that can be dropped, and returns it, or null. */
    @Nullable PendingWrite<K, V> dropOldest() {
        enter();
        try {
            WriteOp<K, V> op = droppable();
            if (op == null || sealed) {
                return null;
            }
            turns.remove(op.slot);
            op.slot.pending = null;
            list.remove(op);
            pending--;
            dropped++;
            room.give(op.places, op.bytes);
            next(op.slot);
            return op.write();
        } finally {
            leave();
        }
    }

    /** A dead letter is not there any more; its value is not read any more. */
    void forgetDead(DeadWrite<K, V> letter) {
        enter();
        try {
            WriteSlot<K, V> slot = slots.get(letter.write().key());
            if (slot != null) {
                if (slot.kept != null
                        && slot.kept.write().sequence() == letter.write().sequence()) {
                    slot.kept = null;
                }
                letterIsGone(slot);
                next(slot);
            }
        } finally {
            leave();
        }
    }

    void letterIsGone(WriteSlot<K, V> slot) {
        if (whenDead == DeadKey.BLOCK) {
            slot.letters--;
        }
    }

    /** Lets everything that was accepted go to the store without its delay; returns up to where that is. */
    long urge() {
        enter();
        try {
            turns.urge(list.lastPosition());
            return list.lastPosition();
        } finally {
            leave();
        }
    }

    /** Whether everything up to a position has ended. */
    boolean hasEnded(long position) {
        enter();
        try {
            WriteOp<K, V> op = list.oldest();
            return op == null || op.position > position;
        } finally {
            leave();
        }
    }

    /** Accepts nothing more, and ends all backoffs; does nothing the second time. */
    void beginClose() {
        enter();
        try {
            if (!closing) {
                closing = true;
                turns.wakeRetries();
            }
        } finally {
            leave();
        }
    }

    /** Whether a close has nothing to wait for: nothing is under way, and what is left would be tried too late. */
    boolean isOver(long until, boolean ever) {
        enter();
        try {
            return inFlight == 0 && directs == 0 && appends == 0 && (pending == 0 || (ever && turns.allAfter(until)));
        } finally {
            leave();
        }
    }

    /** Ends everything: what has not ended is handed back, and still read. What comes later changes nothing. */
    List<PendingWrite<K, V>> seal() {
        enter();
        try {
            closing = true;
            sealed = true;
            List<PendingWrite<K, V>> left = list.drain();
            returned += left.size();
            pending = 0;
            inFlight = 0;
            return left;
        } finally {
            leave();
        }
    }

    WriteBehindCounts counts() {
        enter();
        try {
            return new WriteBehindCounts(accepted, written, coalesced, dead, dropped, returned, pending, inFlight);
        } finally {
            leave();
        }
    }

    /** Returns how long ago the oldest write was accepted that the store has not got; 0 if there is none. */
    long oldestAge(long now) {
        enter();
        try {
            WriteOp<K, V> op = list.oldest();
            return op == null ? 0 : Math.max(now - op.since, 0);
        } finally {
            leave();
        }
    }

    /** Returns why nothing of a key is accepted at the moment, or another answer if that is not so. */
    Ruling refusalOr(WriteTicket<K, V> ticket, @Nullable WriteSlot<K, V> slot, Ruling otherwise) {
        if (closing) {
            return Ruling.CLOSED;
        }
        boolean blocked = slot != null && (slot.letters > 0 || slot.dying) && ticket.letter == null;
        return blocked ? Ruling.BLOCKED : otherwise;
    }
}
