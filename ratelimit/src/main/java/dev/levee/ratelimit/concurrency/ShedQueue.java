package dev.levee.ratelimit.concurrency;

import dev.levee.core.Criticality;
import dev.levee.core.Gate;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The calls that wait at a shedding bulkhead: whose turn it is, and which wait no longer.
 *
 * <pre>
 *                     oldest                               newest
 *   CRITICAL_PLUS    | waiter | waiter |                          the first that has a waiter is served:
 *   CRITICAL         | waiter | waiter | waiter | waiter |        its oldest, or in a standing queue its newest
 *   SHEDDABLE_PLUS   | waiter |
 *   SHEDDABLE        | waiter | waiter |                          the last that has one is shed: CoDel drops its
 *                                                                 oldest, a more critical call displaces its newest
 * </pre>
 *
 * <p>For a call the queue is what goes before it: the calls that are at least as critical. It is <em>standing</em>
 * while it has not been empty for more than the interval. So critical calls wait as if there were no others. Lists are
 * linked through the waiters, so each step costs the same however many wait, and none allocates.
 *
 * <p>Not thread-safe: everything but {@link #size} and {@link #refused} is guarded by the lock of the bulkhead.
 */
@SuppressWarnings("EnumOrdinal") // their order, from the most critical, is meant
class ShedQueue {
    private static final int LEVELS = Criticality.values().length;

    private final long targetNanos;
    private final long intervalNanos;
    private final long maxWaitNanos;
    private final boolean newestFirst;
    private final boolean refusesLate;
    private final @Nullable ControlledDelay codel;
    private final @Nullable ShedWaiter[] oldest = new ShedWaiter[LEVELS];
    private final @Nullable ShedWaiter[] newest = new ShedWaiter[LEVELS];

    /** How many were refused, at the places of the reasons. */
    private final AtomicLongArray refused = new AtomicLongArray(ShedReason.values().length);

    /** Written under the lock. */
    private volatile int size;

    /** How many wait that are at least as critical as the level. */
    private final int[] ahead = new int[LEVELS];

    /** When none waited last that is at least as critical as the level; without meaning while none does. */
    private final long[] lastEmptyNanos = new long[LEVELS];

    private @Nullable ShedWaiter firstEnded;
    private @Nullable ShedWaiter lastEnded;

    ShedQueue(SheddingBulkheadConfig config) {
        targetNanos = config.targetNanos();
        intervalNanos = config.intervalNanos();
        maxWaitNanos = config.maxWaitNanos();
        newestFirst = config.newestFirst();
        refusesLate = config.refuseWithoutTime();
        codel = config.waitControl() == WaitControl.CODEL ? new ControlledDelay(targetNanos, intervalNanos) : null;
    }

    int size() {
        return size;
    }

    long refused(ShedReason reason) {
        return refused.get(reason.ordinal());
    }

    /** Whether the queue of a level has not been empty for more than the interval. */
    private boolean isStanding(int level, long nowNanos) {
        return ahead[level] > 0 && nowNanos - lastEmptyNanos[level] > intervalNanos;
    }

    /** Adds a waiter as the newest of its criticality. */
    void add(ShedWaiter waiter, long nowNanos) {
        int level = waiter.level;
        long cap = codel == null ? (isStanding(level, nowNanos) ? targetNanos : intervalNanos) : maxWaitNanos;
        waiter.mayWait(Math.min(cap, maxWaitNanos));
        for (int less = level; less < LEVELS; less++) {
            if (ahead[less]++ == 0) {
                lastEmptyNanos[less] = nowNanos;
            }
        }
        ShedWaiter before = newest[level];
        waiter.older = before;
        if (before == null) {
            oldest[level] = waiter;
        } else {
            before.newer = waiter;
        }
        newest[level] = waiter;
        int waiting = size;
        size = waiting + 1;
    }

    /** Takes a waiter out that has not been decided. */
    void remove(ShedWaiter waiter) {
        ShedWaiter before = waiter.older;
        ShedWaiter after = waiter.newer;
        if (before == null) {
            oldest[waiter.level] = after;
        } else {
            before.newer = after;
        }
        if (after == null) {
            newest[waiter.level] = before;
        } else {
            after.older = before;
        }
        waiter.older = null;
        waiter.newer = null;
        for (int less = waiter.level; less < LEVELS; less++) {
            ahead[less]--;
        }
        int waiting = size - 1;
        size = waiting;
        if (waiting == 0 && codel != null) {
            codel.emptied();
        }
    }

    /**
     * Returns the newest of the least critical waiters, if a call of a level is more critical; its place may be had.
     */
    @Nullable ShedWaiter displaceable(int level) {
        for (int least = LEVELS - 1; least > level; least--) {
            if (newest[least] != null) {
                return newest[least];
            }
        }
        return null;
    }

    /** Takes out the waiter whose turn it is, and refuses others on the way. Returns null if none is left. */
    @Nullable ShedWaiter next(long nowNanos, long typicalNanos) {
        if (codel != null) {
            dropBy(codel, nowNanos);
        }
        ShedWaiter waiter;
        while ((waiter = first(nowNanos)) != null) {
            if (waiter.waitLeftNanos(nowNanos) <= 0) { // its timer is late
                refuse(waiter, waiter.reasonOfTime());
            } else if (isWithoutTime(waiter.leftNanos(nowNanos), typicalNanos)) {
                refuse(waiter, ShedReason.LATE);
            } else {
                remove(waiter);
                return waiter;
            }
        }
        return null;
    }

    /** Whether a call with this much time left is not to be begun. */
    boolean isWithoutTime(long leftNanos, long typicalNanos) {
        return refusesLate && leftNanos <= typicalNanos;
    }

    private @Nullable ShedWaiter first(long nowNanos) {
        for (int level = 0; level < LEVELS; level++) {
            if (oldest[level] != null) {
                return newestFirst && isStanding(level, nowNanos) ? newest[level] : oldest[level];
            }
        }
        return null;
    }

    private void dropBy(ControlledDelay control, long nowNanos) {
        ShedWaiter least;
        while ((least = leastCritical()) != null && control.drops(nowNanos - least.sinceNanos, size - 1, nowNanos)) {
            refuse(least, ShedReason.WAITED);
        }
    }

    private @Nullable ShedWaiter leastCritical() {
        for (int level = LEVELS - 1; level >= 0; level--) {
            if (oldest[level] != null) {
                return oldest[level];
            }
        }
        return null;
    }

    /** Takes a waiter out and refuses it; it is told later. */
    void refuse(ShedWaiter waiter, ShedReason reason) {
        remove(waiter);
        waiter.decide(Gate.REFUSED, reason);
        count(reason);
        ended(waiter);
    }

    void count(ShedReason reason) {
        refused.getAndIncrement(reason.ordinal());
    }

    /** Notes a waiter that has been decided, to be told. */
    void ended(ShedWaiter waiter) {
        if (lastEnded == null) {
            firstEnded = waiter;
        } else {
            lastEnded.nextEnded = waiter;
        }
        lastEnded = waiter;
    }

    /** Returns those that are to be told, linked in their order, and forgets them. */
    @Nullable ShedWaiter takeEnded() {
        ShedWaiter first = firstEnded;
        firstEnded = null;
        lastEnded = null;
        return first;
    }
}
