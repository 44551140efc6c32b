package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.PaddedLong;

/**
 * The permits of a bulkhead with a queue beside it, in one word: how many there may be, how many are taken, and whether
 * calls wait for one.
 *
 * <pre>{@code
 * bit   63                     32   31      30                      0
 *      +-------------------------+---------+-------------------------+
 *      |  limit (1 to 2^31 - 1)  | waiting | in flight               |
 *      +-------------------------+---------+-------------------------+
 * }</pre>
 *
 * <p>The bit "waiting" is written under the lock of the queue only, and set only by an exchange that finds no permit
 * free. So a thread that gives a permit back later sees it, and no permit stays free beside a waiter.
 */
class PermitWord {
    private static final long IN_FLIGHT = (1L << 31) - 1;
    private static final long WAITING = 1L << 31;
    private static final int LIMIT_SHIFT = 32;

    private final PaddedLong word;

    PermitWord(int limit) {
        word = new PaddedLong((long) limit << LIMIT_SHIFT);
    }

    private static boolean hasFree(long seen) {
        return (seen & IN_FLIGHT) < seen >>> LIMIT_SHIFT;
    }

    /** Takes a permit if one is free and no call waits. */
    boolean tryTake() {
        long seen = word.get();
        while (hasFree(seen) && (seen & WAITING) == 0) {
            long found = word.compareAndExchange(seen, seen + 1);
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Takes a permit although calls wait: for one of them. */
    boolean takeForWaiter() {
        long seen = word.get();
        while (hasFree(seen)) {
            long found = word.compareAndExchange(seen, seen + 1);
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Takes a permit if one is free and no call waits; else lets all others see that calls wait. Under the lock. */
    boolean takeOrMark() {
        long seen = word.get();
        while ((seen & WAITING) == 0) {
            boolean free = hasFree(seen);
            long found = word.compareAndExchange(seen, free ? seen + 1 : seen | WAITING);
            if (found == seen) {
                return free;
            }
            seen = found;
        }
        return false;
    }

    /** Lets all others see that no call waits any more. Under the lock. */
    void unmark() {
        if ((word.get() & WAITING) != 0) {
            word.getAndAdd(-WAITING);
        }
    }

    /** Gives a permit back, and returns how many were taken before. A permit that nothing holds is not given back. */
    int giveBack() {
        long seen = word.get();
        while ((seen & IN_FLIGHT) > 0) {
            long found = word.compareAndExchange(seen, seen - 1);
            if (found == seen) {
                break;
            }
            seen = found;
        }
        return (int) (seen & IN_FLIGHT);
    }

    void setLimit(int limit) {
        long seen = word.get();
        while (true) {
            long next = (long) limit << LIMIT_SHIFT | (seen & (IN_FLIGHT | WAITING));
            long found = word.compareAndExchange(seen, next);
            if (found == seen) {
                return;
            }
            seen = found;
        }
    }

    /** Whether a permit is free that a waiter could have. */
    boolean isFreeBesideWaiters() {
        long seen = word.get();
        return (seen & WAITING) != 0 && hasFree(seen);
    }

    int limit() {
        return (int) (word.get() >>> LIMIT_SHIFT);
    }

    int inFlight() {
        return (int) (word.get() & IN_FLIGHT);
    }
}
