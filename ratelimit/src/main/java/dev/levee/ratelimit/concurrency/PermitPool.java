package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.PaddedLong;

/**
 * Permits of one partition, or of the whole bulkhead: the limit and the calls in flight in one word, so that no call is
 * admitted by a limit that has just been lowered, and none beside another one.
 *
 * <pre>{@code
 * bit   63                42 41                21 20                 0
 *      +--------------------+--------------------+--------------------+
 *      |        lent        |        own         |       limit        |
 *      +--------------------+--------------------+--------------------+
 *
 * own     calls in flight of the partition itself
 * lent    calls in flight of other partitions, on permits of this one
 * limit   how many of both there may be; fewer than there are only after it was lowered
 * }</pre>
 *
 * <p>See ADR 92.
 */
final class PermitPool {
    private static final int BITS = 21;
    private static final long MASK = (1L << BITS) - 1;
    private static final long OWN = 1L << BITS;
    private static final long LENT = 1L << (2 * BITS);

    private final PaddedLong word;

    /**
     * How many permits are kept for the partition itself. A hint that is read apart from the word: only how soon a
     * permit is lent depends on it.
     */
    private volatile int reserve;

    /** The most calls of the partition itself that were in flight since it was last asked. May miss a few. */
    private int peak;

    PermitPool(int limit) {
        word = new PaddedLong(limit);
        reserve = limit;
    }

    private static int inFlight(long seen) {
        return (int) ((seen >>> BITS & MASK) + (seen >>> (2 * BITS)));
    }

    private static int limit(long seen) {
        return (int) (seen & MASK);
    }

    /** Takes a permit for a call of the partition itself. */
    boolean tryEnter() {
        while (true) {
            long seen = word.get();
            if (inFlight(seen) >= limit(seen)) {
                return false;
            }
            if (word.compareAndSet(seen, seen + OWN)) {
                notePeak((int) (seen >>> BITS & MASK) + 1);
                return true;
            }
        }
    }

    private void notePeak(int own) {
        if (own > peak) {
            peak = own;
        }
    }

    /** Takes a permit for a call of another partition, of those that are not kept. */
    boolean tryLend() {
        while (true) {
            long seen = word.get();
            int kept = Math.max(0, reserve - (int) (seen >>> BITS & MASK));
            if (inFlight(seen) + kept >= limit(seen)) {
                return false;
            }
            if (word.compareAndSet(seen, seen + LENT)) {
                return true;
            }
        }
    }

    /** Gives a permit back. Returns how many calls were in flight before, in this pool. */
    int exit(boolean lent) {
        return inFlight(word.getAndAdd(lent ? -LENT : -OWN));
    }

    void setLimit(int limit) {
        while (true) {
            long seen = word.get();
            if (word.compareAndSet(seen, (seen & ~MASK) | limit)) {
                return;
            }
        }
    }

    int limit() {
        return limit(word.get());
    }

    int inFlight() {
        return inFlight(word.get());
    }

    /** How many calls of other partitions are in flight on its permits. */
    int lent() {
        return (int) (word.get() >>> (2 * BITS));
    }

    /** Keeps all permits for the partition itself, because it was refused one. */
    void press() {
        int limit = limit();
        if (reserve != limit) {
            reserve = limit;
        }
        notePeak(limit);
    }

    /** Keeps for a while as many as the partition itself needed lately, and a few more; called from time to time. */
    void relax() {
        int needed = peak + (peak + 3) / 4;
        peak = (int) (word.get() >>> BITS & MASK);
        reserve = Math.min(limit(), Math.max(needed, reserve - (reserve + 7) / 8));
    }
}
