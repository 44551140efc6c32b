package dev.levee.cache.writebehind;

/**
 * What becomes of a key whose write is given up as a {@link DeadWrite}.
 *
 * @since 0.1
 */
public enum DeadKey {
    /**
     * The value is what the store has: the write is not read any more, and the cache in front drops its value. Later
     * writes of the key go on as usual.
     */
    EVICT,
    /**
     * The value that was given up is still read, until a later write of the key, a replay, a discard, or the end of the
     * process: a journal does not know whether a later write has come since.
     */
    KEEP,
    /**
     * As {@link #KEEP}, and later writes of the key are refused until its dead letters are replayed or discarded, also
     * after a restart, and the value is read then too. Not the value of a letter that was made, or was once opened,
     * with another choice, nor that of a key with several letters: a later write may have come since. Such a key is
     * refused and the store is read. For keys of which no write must be left out.
     */
    BLOCK
}
