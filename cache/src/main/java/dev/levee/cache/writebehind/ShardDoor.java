package dev.levee.cache.writebehind;

import dev.levee.cache.writebehind.WriteTicket.Ruling;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Where writes come into a shard.
 *
 * <p><b>With a journal</b> a write has its sequence, and its room, before it is appended, and is accepted afterwards.
 * Appends of one key may overtake each other, so the order of acceptance is that of the sequences: one that comes late
 * has been replaced already. And the journal forgets a write only while no append of its key is under way: an older one
 * that came after that would be the newest there. See ADR 107.
 */
final class ShardDoor<K, V> {
    private final WriteShard<K, V> shard;
    private final WriteRoom room;
    private final AtomicLong sequences;
    private final DeadBox<K, V> box;
    private final boolean journaled;

    ShardDoor(WriteShard<K, V> shard, AtomicLong sequences, DeadBox<K, V> box, boolean journaled) {
        this.shard = shard;
        this.room = shard.room;
        this.sequences = sequences;
        this.box = box;
        this.journaled = journaled;
    }

    /** Accepts a write, or reserves room for it if it goes to a journal first. */
    Ruling admit(WriteTicket<K, V> ticket) {
        shard.enter();
        try {
            WriteSlot<K, V> slot = shard.slot(ticket.key);
            Ruling answer = shard.refusalOr(ticket, slot, Ruling.ACCEPTED);
            if (answer != Ruling.ACCEPTED) {
                return answer;
            }
            return journaled ? reserve(ticket, slot) : accept(ticket, slot);
        } finally {
            shard.leave();
        }
    }

    private Ruling accept(WriteTicket<K, V> ticket, @Nullable WriteSlot<K, V> slot) {
        WriteOp<K, V> old = slot == null ? null : slot.pending;
        long more = ticket.bytes - (old == null ? 0 : old.bytes);
        if (!room.tryTake(old == null ? 1 : 0, Math.max(more, 0))) {
            return Ruling.FULL;
        }
        if (old != null) { // its room is that of the new one, but for the difference
            shard.replace(old, ticket, sequences.incrementAndGet());
            room.give(0, Math.max(-more, 0));
        } else {
            WriteSlot<K, V> own = slot == null ? slotFor(ticket, 1) : slot;
            shard.install(own, ticket.make(own, sequences.incrementAndGet()));
        }
        replayed(ticket);
        ticket.plan = shard.needsPlan();
        return Ruling.ACCEPTED;
    }

    private Ruling reserve(WriteTicket<K, V> ticket, @Nullable WriteSlot<K, V> slot) {
        boolean sharing = !room.tryTake(1, ticket.bytes);
        if (sharing && (slot == null || !share(slot, ticket.bytes))) {
            return Ruling.FULL;
        }
        WriteSlot<K, V> own = slot == null ? slotFor(ticket, 1) : slot;
        WriteOp<K, V> op = ticket.make(own, sequences.incrementAndGet());
        op.places = sharing ? 0 : 1;
        own.beginAppend(op);
        shard.appends++;
        return Ruling.RESERVED;
    }

    /**
     * Lets a write share the place of one of its key that is pending or being appended: in the end one of them is left.
     * None goes to the store before that is so, or the key would have two in one place.
     */
    private boolean share(WriteSlot<K, V> slot, long bytes) {
        WriteOp<K, V> holder = slot.sharers > 0 ? null : slot.waiting(false);
        if (slot.wanted || (slot.sharers == 0 && holder == null)) {
            return false;
        }
        long held = holder == null ? slot.sharedBytes : holder.bytes;
        if (!room.tryTake(0, Math.max(bytes - held, 0))) {
            return false;
        }
        if (holder != null) {
            holder.places = 0;
            slot.sharers = 1;
        }
        slot.sharers++;
        slot.sharedBytes = Math.max(bytes, held);
        return true;
    }

    /** Makes the slot of a key; if the key does not let it, the room that was taken for it is given back. */
    private WriteSlot<K, V> slotFor(WriteTicket<K, V> ticket, int places) {
        boolean made = false;
        try {
            WriteSlot<K, V> slot = shard.slotOrNew(ticket.key);
            made = true;
            return slot;
        } finally {
            if (!made) {
                room.give(places, places == 0 ? 0 : ticket.bytes);
            }
        }
    }

    /** Accepts a write that the journal has got; false if the shard was sealed meanwhile. */
    boolean confirm(WriteTicket<K, V> ticket) {
        shard.enter();
        try {
            WriteOp<K, V> op = ticket.op();
            WriteSlot<K, V> slot = op.slot;
            slot.endAppend(op);
            if (shard.sealed) {
                shard.release(op);
                return false;
            }
            if (slot.newest > op.sequence()) { // a newer one was quicker, and has replaced it
                shard.accepted++;
                shard.coalesced++;
                shard.release(op);
                shard.next(slot);
            } else {
                shard.install(slot, op);
            }
            replayed(ticket);
            ticket.plan = shard.needsPlan();
            return true;
        } finally {
            ended(ticket);
            shard.leave();
        }
    }

    /** Under the lock: an append has ended, unless the journal has to forget something first. */
    private void ended(WriteTicket<K, V> ticket) {
        WriteSlot<K, V> slot = ticket.op().slot;
        if (!slot.isAppending() && slot.owed != null) {
            ticket.owed = slot.owed;
            slot.owed = null;
            shard.next(slot);
        } else {
            shard.appends--;
        }
    }

    /** In the same step as the write is accepted its letter is gone, so that a report has one of them. */
    private void replayed(WriteTicket<K, V> ticket) {
        if (ticket.letter != null) {
            box.release(ticket.letter, true);
            WriteSlot<K, V> slot = shard.slot(ticket.key);
            if (slot != null) {
                shard.letterIsGone(slot);
            }
        }
    }

    /** Takes back a reservation: the journal has failed. */
    void withdraw(WriteTicket<K, V> ticket) {
        shard.enter();
        try {
            WriteSlot<K, V> slot = ticket.op().slot;
            slot.endAppend(ticket.op());
            shard.release(ticket.op());
            shard.next(slot);
            ticket.plan = shard.needsPlan();
        } finally {
            ended(ticket);
            shard.leave();
        }
    }

    /** An append has ended, and the journal has forgotten what it had to. */
    void forgotten() {
        shard.enter();
        try {
            shard.appends--;
        } finally {
            shard.leave();
        }
    }

    /** The store has what a caller has written. Returns it if the journal may forget it now, or null. */
    @Nullable PendingWrite<K, V> settled(WriteTicket<K, V> ticket) {
        shard.enter();
        try {
            return shard.settled(ticket.op().slot, ticket.op().write());
        } finally {
            shard.leave();
        }
    }

    /** Lets a caller write the store itself, unless something of the key is under way. */
    Ruling beginDirect(WriteTicket<K, V> ticket) {
        shard.enter();
        try {
            WriteSlot<K, V> slot = shard.slot(ticket.key);
            Ruling answer = shard.refusalOr(ticket, slot, Ruling.DIRECT);
            if (answer != Ruling.DIRECT) {
                return answer;
            }
            if (slot != null && (slot.pending != null || slot.isBusy() || slot.isAppending())) {
                return Ruling.BUSY;
            }
            WriteSlot<K, V> own = slot == null ? slotFor(ticket, 0) : slot;
            ticket.make(own, sequences.incrementAndGet());
            own.direct = true;
            shard.directs++;
            return Ruling.DIRECT;
        } finally {
            shard.leave();
        }
    }

    /** Ends that. */
    void endDirect(WriteTicket<K, V> ticket, boolean done) {
        shard.enter();
        try {
            WriteSlot<K, V> slot = ticket.op().slot;
            slot.direct = false;
            shard.directs--;
            if (done) {
                shard.accepted++;
                shard.written++;
                slot.kept = null;
            }
            shard.next(slot);
            ticket.plan = shard.needsPlan();
        } finally {
            shard.leave();
        }
    }

    /** Puts a write where it belongs that a journal has kept. */
    void recover(PendingWrite<K, V> write, long bytes, long since) {
        shard.enter();
        try {
            WriteSlot<K, V> slot = shard.slotOrNew(write.key());
            long held = room.takeAnyway(bytes);
            shard.install(slot, new WriteOp<>(slot, write.value(), write.sequence(), write.acceptedAt(), held, since));
        } finally {
            shard.leave();
        }
    }

    /**
     * Notes a dead letter that a journal has kept. Only a key that was blocked all the time has surely had no newer
     * write since, so only then its value is still read. See ADR 201.
     */
    void recover(DeadWrite<K, V> letter) {
        shard.enter();
        try {
            shard.accepted++;
            shard.dead++;
            if (shard.whenDead == DeadKey.BLOCK) {
                WriteSlot<K, V> slot = shard.slotOrNew(letter.write().key());
                slot.letters++;
                slot.kept = letter.blocking() && slot.letters == 1 && slot.pending == null ? letter : null;
            }
        } finally {
            shard.leave();
        }
    }
}
