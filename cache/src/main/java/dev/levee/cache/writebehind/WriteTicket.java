package dev.levee.cache.writebehind;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One call that wants to have a write accepted. Confined to its thread; the lock of the shard guards the write. */
final class WriteTicket<K, V> {
    /** What a shard says. */
    enum Ruling {
        /** It is accepted. */
        ACCEPTED,
        /** It has room and a sequence; it is accepted when the journal has it. */
        RESERVED,
        /** The caller may write the store now, and nothing else writes the key until it has. */
        DIRECT,
        /** Earlier writes of the key are under way. */
        BUSY,
        FULL,
        BLOCKED,
        CLOSED
    }

    final K key;
    final @Nullable V value;
    final long bytes;
    final Instant at;
    final long now;

    /** The dead letter that it replays, which a blocked key admits; null for any other write. */
    final @Nullable DeadWrite<K, V> letter;

    /** Whether a worker, or a timer, may be needed now. */
    boolean plan;

    /** What the journal may forget now that nothing of the key is appended any more; null if there is nothing. */
    @Nullable PendingWrite<K, V> owed;

    private @Nullable WriteOp<K, V> op;

    WriteTicket(K key, @Nullable V value, long bytes, Instant at, long now, @Nullable DeadWrite<K, V> letter) {
        this.key = key;
        this.value = value;
        this.bytes = bytes;
        this.at = at;
        this.now = now;
        this.letter = letter;
    }

    WriteOp<K, V> make(WriteSlot<K, V> slot, long sequence) {
        WriteOp<K, V> made = new WriteOp<>(slot, value, sequence, at, bytes, now);
        op = made;
        return made;
    }

    WriteOp<K, V> op() {
        WriteOp<K, V> made = op;
        if (made == null) {
            throw new IllegalStateException("the write has no room yet");
        }
        return made;
    }
}
