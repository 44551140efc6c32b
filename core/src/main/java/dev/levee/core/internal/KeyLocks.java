package dev.levee.core.internal;

import java.util.concurrent.locks.ReentrantLock;

/** Locks that keys share: for what must be done one after the other for each key, and may be for different ones. */
public final class KeyLocks {
    /** How many locks there are; a power of two. */
    private static final int LOCKS = 64;

    private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

    /** Makes locks that nothing holds. */
    public KeyLocks() {
        for (int i = 0; i < LOCKS; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    /**
     * Returns the lock of a key.
     *
     * @param key not null
     * @return the same one for equal keys
     */
    public ReentrantLock of(Object key) {
        int hash = key.hashCode();
        return locks[(hash ^ hash >>> 16) & LOCKS - 1];
    }
}
