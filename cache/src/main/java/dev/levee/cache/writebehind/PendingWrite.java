package dev.levee.cache.writebehind;

import dev.levee.core.internal.Require;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A write that was accepted and that the store may not have yet.
 *
 * <p>The key and the sequence together name it: the same write has the same name at each try, also after a restart from
 * a journal, so a store can tell a repeat by it.
 *
 * @param key what is written
 * @param value its value, or null to delete it
 * @param sequence greater than that of every write of the same key that was accepted before, from 1
 * @param acceptedAt when it was accepted, by the wall clock of the machine, which is read once in a millisecond at most
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public record PendingWrite<K, V>(K key, @Nullable V value, long sequence, Instant acceptedAt) {
    /**
     * Makes a write.
     *
     * @param key what is written
     * @param value its value, or null to delete it
     * @param sequence greater than that of every earlier write of the key, from 1
     * @param acceptedAt when it was accepted
     * @throws NullPointerException if the key or the time is null
     * @throws IllegalArgumentException if the sequence is less than 1
     */
    public PendingWrite {
        Require.nonNull("key", key);
        Require.range("sequence", sequence, 1, Long.MAX_VALUE);
        Require.nonNull("acceptedAt", acceptedAt);
    }

    /**
     * Returns whether the key is to be deleted.
     *
     * @return whether there is no value
     */
    public boolean isDelete() {
        return value == null;
    }

    /**
     * Returns everything but key and value, which may be secret.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return (isDelete() ? "delete " : "save ") + sequence + " of " + acceptedAt;
    }
}
