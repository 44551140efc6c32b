package dev.levee.ratelimit;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The bucket of one key, in one word: see {@link Gcra}. Not padded, because there are many.
 *
 * <p>A bucket is sealed before it is dropped, so that a thread which still holds it cannot take a permit from it
 * unnoticed.
 */
final class KeyBucket<K> {
    /** The result of {@link #take} if the bucket was dropped. */
    static final long GONE = -1L;

    /** The one number that is no theoretical arrival time; where arithmetic leads to it, the next number is used. */
    private static final long SEALED = Long.MIN_VALUE;

    private static final VarHandle TAT = Handles.field(MethodHandles.lookup(), "tat", long.class);

    final K key;
    private volatile long tat;

    /** The arrival time by which {@link RefillOrder} has ordered this bucket, at most {@link #tat}; under its lock. */
    long rank;

    /** The place in the heap of {@link RefillOrder}; under its lock. */
    int place;

    KeyBucket(K key, long tat) {
        this.key = key;
        this.tat = notSealed(tat);
    }

    private static long notSealed(long tat) {
        return tat == SEALED ? tat + 1 : tat;
    }

    /**
     * Takes the cost out of the bucket.
     *
     * @return 0 if it was taken; {@link #GONE} if the bucket was dropped; else by how many ticks the debt is too high
     */
    long take(long now, long cost, long tolerance) {
        while (true) {
            long seen = tat;
            if (seen == SEALED) {
                return GONE;
            }
            long debt = Gcra.debt(seen, now) + cost;
            if (debt > tolerance) {
                return debt - tolerance;
            }
            if (TAT.compareAndSet(this, seen, notSealed(now + debt))) {
                return 0;
            }
        }
    }

    /**
     * Returns the time at which the bucket will be full again, in ticks; only under the lock, where no bucket is
     * sealed.
     */
    long tat() {
        return tat;
    }

    /** Returns how far the bucket is from full; a sealed one was full, or its debt was forgiven. */
    long debt(long now) {
        long seen = tat;
        return seen == SEALED ? 0 : Gcra.debt(seen, now);
    }

    /** Seals the bucket if its time is still as expected. */
    boolean sealIf(long expected) {
        return TAT.compareAndSet(this, expected, SEALED);
    }

    void seal() {
        tat = SEALED;
    }
}
