package dev.levee.cache.writebehind;

import org.jspecify.annotations.Nullable;

/**
 * A write that was accepted and has not ended: a place in the list of its shard, oldest first. A newer write of the key
 * that replaces it takes over the place, with the age of the first one. Guarded by the lock of its shard.
 */
final class WriteOp<K, V> {
    final PendingWrite<K, V> write;
    final WriteSlot<K, V> slot;

    /** Room that it holds: how many writes (0 if it has lent its place to the one that will replace it), and bytes. */
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

    WriteOp(WriteSlot<K, V> slot, PendingWrite<K, V> write, long bytes, long since) {
        this.slot = slot;
        this.write = write;
        this.places = 1;
        this.bytes = bytes;
        this.since = since;
    }
}
