package dev.levee.core.policy;

import dev.levee.core.internal.CallTime;
import java.util.Iterator;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The calls that wait at a bulkhead: how many there are, and whose turn it is.
 *
 * <pre>
 *    oldest                                                        newest
 *   +---------+---------+---------+---------+---------+---------+---------+
 *   | waiter  | waiter  | (gone)  | waiter  | (gone)  | waiter  | waiter  |  <-- calls that come
 *   +---------+---------+---------+---------+---------+---------+---------+
 *    the next in turn                                  the next while late
 * </pre>
 *
 * <p><b>Whose turn it is.</b> First come first served, until the queue is <em>late</em>: the oldest waiter has less
 * than twice the time left that calls take ({@link CallTime}). Then the newest, which has the most time left; and
 * waiters whose time left is not more than calls take are refused, oldest first. So permits are not spent on calls that
 * are cut off before they end. Lateness is asked anew for each permit: a waiter without a deadline is never late, and
 * as soon as it is the oldest it is the next. See ADR 73.
 *
 * <p><b>Giving up</b> costs the same however long the queue is. A waiter that gives up is counted out at once, and its
 * entry stays in the deque until it is at one end, or until more entries are of that kind than are not: then all of
 * them are swept out. See ADR 74.
 *
 * <p>Thread-safe and lock-free, but for the sweep, which one thread does while the others go on.
 */
final class BulkheadQueue {
    /** So few entries that wait no more are not worth a sweep. */
    private static final int MAX_GONE = 64;

    /** How many of the oldest a permit that goes to another refuses at most: more than have come since the last one. */
    private static final int MAX_REFUSED = 8;

    private final int maxWaiting;
    private final boolean refusesLate;
    private final boolean newestFirst;
    private final CallTime callTime = new CallTime();
    private final ConcurrentLinkedDeque<BulkheadWaiter> entries;

    /** Calls that wait, or are about to enter the deque. */
    private final AtomicInteger waiting = new AtomicInteger();

    /** Entries of the deque that wait no more. */
    private final AtomicInteger gone = new AtomicInteger();

    private final AtomicBoolean sweeping = new AtomicBoolean();

    BulkheadQueue(BulkheadConfig config) {
        this(config, new ConcurrentLinkedDeque<>());
    }

    /** For tests, which count what is done with the deque. */
    BulkheadQueue(BulkheadConfig config, ConcurrentLinkedDeque<BulkheadWaiter> entries) {
        this.entries = entries;
        this.maxWaiting = config.maxWaiting();
        this.refusesLate = config.refuseWithoutTime();
        this.newestFirst = config.newestFirstWhenLate();
    }

    /** How long calls take lately. */
    CallTime callTime() {
        return callTime;
    }

    int waiting() {
        return waiting.get();
    }

    /** Whether a call with this much time left is not to be begun. While nothing is known: only if it has none. */
    boolean isWithoutTime(long leftNanos, long nowNanos) {
        return refusesLate && leftNanos <= callTime.typicalNanos(nowNanos);
    }

    /** Adds a waiter, if there is room. */
    boolean add(BulkheadWaiter waiter) {
        int seen;
        do {
            seen = waiting.get();
            if (seen >= maxWaiting) {
                return false;
            }
        } while (!waiting.compareAndSet(seen, seen + 1));
        try {
            entries.addLast(waiter);
        } catch (Throwable noMemory) {
            waiting.getAndDecrement();
            throw noMemory;
        }
        return true;
    }

    /**
     * Returns the waiter that came first. One that has given up does not count, even while its entry is still there;
     * nor does one that is about to enter.
     */
    @Nullable BulkheadWaiter oldest() {
        BulkheadWaiter first = entries.peekFirst();
        if (first == null || !first.isDone()) {
            return first;
        }
        for (Iterator<BulkheadWaiter> all = entries.iterator(); all.hasNext(); ) {
            BulkheadWaiter next = all.next();
            if (!next.isDone()) {
                return next;
            }
            all.remove();
            next.takenOut();
        }
        return null;
    }

    /** Takes out the waiter whose turn it is, if any waits, and refuses those that are without time on the way. */
    @Nullable BulkheadWaiter next(long nowNanos) {
        long typical = callTime.typicalNanos(nowNanos);
        int refused = 0;
        BulkheadWaiter oldest;
        while ((oldest = oldest()) != null) {
            long left = oldest.leftNanos(nowNanos);
            if (refusesLate && left <= typical && refused++ < MAX_REFUSED) {
                oldest.refuse();
                continue;
            }
            boolean late = left / 2 < typical;
            BulkheadWaiter next = late && newestFirst ? entries.pollLast() : entries.pollFirst();
            if (next == null) {
                continue; // another thread was faster
            }
            next.takenOut();
            if (!isWithoutTime(next.leftNanos(nowNanos), nowNanos)) {
                return next;
            }
            next.refuse();
        }
        return null;
    }

    /** A waiter has given up, or was refused, and its entry is still there. */
    void hasLeft() {
        waiting.getAndDecrement();
        int entriesGone = gone.incrementAndGet();
        oldest(); // takes out those that came first, which are mostly those that give up first
        if (entriesGone > MAX_GONE && entriesGone > waiting.get()) {
            sweep();
        }
    }

    /** An entry was taken out. */
    void hasBeenTakenOut(boolean hadLeft) {
        (hadLeft ? gone : waiting).getAndDecrement();
    }

    /** Takes out all entries that wait no more. */
    private void sweep() {
        if (!sweeping.compareAndSet(false, true)) {
            return;
        }
        try {
            for (Iterator<BulkheadWaiter> all = entries.iterator(); all.hasNext(); ) {
                BulkheadWaiter next = all.next();
                if (next.isDone()) {
                    all.remove();
                    next.takenOut();
                }
            }
        } finally {
            sweeping.set(false);
        }
    }
}
