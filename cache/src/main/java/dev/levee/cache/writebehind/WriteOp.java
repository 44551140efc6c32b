package dev.levee.cache.writebehind;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A write that was accepted and has not ended: a place in the list of its shard, oldest first. A newer write of the key
 * takes over the place, with the age of the first one: this object becomes that write while it waits, which saves most
 * of what a write costs, or another object replaces it.
 *
 * <p>Guarded by the lock of its shard. While it is on its way nothing of it changes but what its worker counts. See ADR
 * 178.
 */
final class WriteOp<K, V> {
    final WriteSlot<K, V> slot;

    private @Nullable V value;
    private Instant acceptedAt;
    private long sequence;

    /** The write as others see it, made when it is needed: most of a hot key are replaced before. */
    private @Nullable PendingWrite<K, V> write;

    /** Room that it holds: how many writes (0 if it shares the place of others of its key), and its bytes. */
    int places;

    long bytes;

    /** When the oldest write was accepted that it stands for, by the clock of the environment. */
    long since;

    /** Grows along the list; a flush waits for the positions that it has seen. */
    long position;

    /** How often it has failed by itself. */
    int tries;

    /** How often it has failed in any way; what the backoff goes by. */
    int failures;

    /** The wait before its last try. */
    long delay;

    /** How many writes may be in a batch with it. */
    int limit = Integer.MAX_VALUE;

    @Nullable WriteOp<K, V> older;

    @Nullable WriteOp<K, V> newer;

    WriteOp(WriteSlot<K, V> slot, @Nullable V value, long sequence, Instant acceptedAt, long bytes, long since) {
        this.slot = slot;
        this.value = value;
        this.sequence = sequence;
        this.acceptedAt = acceptedAt;
        this.places = 1;
        this.bytes = bytes;
        this.since = since;
    }

    long sequence() {
        return sequence;
    }

    PendingWrite<K, V> write() {
        PendingWrite<K, V> made = write;
        if (made == null) {
            made = new PendingWrite<>(slot.key, value, sequence, acceptedAt);
            write = made;
        }
        return made;
    }

    /** Becomes a newer write of the key, which has not been tried yet. Only while it waits. */
    void become(@Nullable V newerValue, long newerSequence, Instant at, long newerBytes) {
        value = newerValue;
        sequence = newerSequence;
        acceptedAt = at;
        bytes = newerBytes;
        write = null;
        tries = 0;
        failures = 0;
        delay = 0;
        limit = Integer.MAX_VALUE;
    }
}
