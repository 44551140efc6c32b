package dev.levee.cache.writebehind;

import java.io.IOException;
import java.util.Collection;
import java.util.List;

/**
 * Keeps accepted writes and dead letters where they outlive the process, until the store has them.
 *
 * <p>It holds at most one pending write for each key, the newest that was appended: an older one that the store has not
 * got is replaced by it. The newest is the one with the greatest sequence: appends of one key may come in any order,
 * and one that comes after a newer one changes nothing. No write is removed or buried while an append of its key is
 * under way. It is used by one {@code WriteBehind}, which calls {@link #open} first and once, and never calls it under
 * a lock that a caller waits for. All methods may be called by several threads at a time, {@link #append} by many;
 * those calls share one commit.
 *
 * <p>Each method has taken effect, as durably as {@link #durability} says, when it returns. When it throws, it is not
 * known whether it took effect, and the journal refuses everything from then on with the same failure: what cannot be
 * kept must not be accepted. Only {@link #append}, {@link #bury} and {@link #replay} may refuse a single write: by an
 * unchecked exception, such as that of a codec, and then nothing has changed. So does an error, unless the virtual
 * machine throws it for another reason than the end of the stack.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public interface WriteJournal<K, V> extends AutoCloseable {
    /** What survives. */
    enum Durability {
        /** The end of the process, also by {@code kill -9}: the operating system has the bytes. */
        PROCESS,
        /** The loss of power too: the bytes were forced to the device. */
        DISK
    }

    /**
     * What a journal held when it was opened.
     *
     * @param pending the writes that the store may not have, at most one for each key, in the order of their sequences
     * @param dead the dead letters, oldest first
     * @param lastSequence the greatest sequence that was ever appended or buried, or 0
     * @param <K> the keys
     * @param <V> the values
     */
    record Recovered<K, V>(List<PendingWrite<K, V>> pending, List<DeadWrite<K, V>> dead, long lastSequence) {
        /**
         * Copies the lists.
         *
         * @param pending the writes that the store may not have
         * @param dead the dead letters
         * @param lastSequence the greatest sequence so far, or 0
         */
        public Recovered {
            pending = List.copyOf(pending);
            dead = List.copyOf(dead);
        }
    }

    /**
     * Returns what survives of what a call has done when it returned.
     *
     * @return the promise
     */
    Durability durability();

    /**
     * Opens the journal and reads what it holds.
     *
     * @return what was appended or buried and not removed since; all of what was acknowledged, and of a write that was
     *     under way at the end of the process all or nothing
     * @throws IOException if it cannot be read: the message names the file and says why (locked by another process, of
     *     a newer version, foreign or damaged bytes, read-only); nothing is changed then
     */
    Recovered<K, V> open() throws IOException;

    /**
     * Adds a write, in place of an older one of the same key.
     *
     * @param write what was accepted
     * @throws IOException if it is not certain to be kept
     * @throws RuntimeException if this write cannot be kept, such as one that a codec refuses or one that is too large;
     *     nothing has changed then. Not an {@link java.io.UncheckedIOException} or an {@link IllegalStateException},
     *     which tell that the journal has failed
     */
    void append(PendingWrite<K, V> write) throws IOException;

    /**
     * Removes writes that the store has got, each only if it is still the newest of its key. This alone may be lazy: a
     * write that was removed just before the end of the process may be there again.
     *
     * @param writes in any order
     * @throws IOException if the journal has failed
     */
    void remove(Collection<PendingWrite<K, V>> writes) throws IOException;

    /**
     * Makes a pending write a dead letter, in one step. Dead letters are kept by key and sequence, so that a key may
     * have several; one that is there already is replaced.
     *
     * @param dead the dead letter; its write is not pending any more, unless a newer one of its key is
     * @throws IOException if it is not certain to be kept
     * @throws RuntimeException as for {@link #append}; the write is still pending then, and is tried again
     */
    void bury(DeadWrite<K, V> dead) throws IOException;

    /**
     * Makes a dead letter a pending write again, in one step.
     *
     * @param dead the dead letter that is replayed
     * @param write the same key and value with a new sequence, in place of an older pending write of the key
     * @throws IOException if it is not certain to be kept
     * @throws RuntimeException as for {@link #append}; the dead letter is still there then
     */
    void replay(DeadWrite<K, V> dead, PendingWrite<K, V> write) throws IOException;

    /**
     * Forgets dead letters.
     *
     * @param dead those that are discarded
     * @throws IOException if the journal has failed
     */
    void discard(Collection<DeadWrite<K, V>> dead) throws IOException;

    /**
     * Closes the files; what is pending stays in them. A second call does nothing.
     *
     * @throws IOException if they cannot be closed properly; what was acknowledged is kept all the same
     */
    @Override
    void close() throws IOException;
}
