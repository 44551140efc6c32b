package dev.levee.ratelimit.shared;

import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The leases of a quota, the oldest first: calls take from the first that has enough. Taking is lock-free; the chain is
 * changed under the lock of the quota.
 */
final class QuotaLeases {
    private static final long FOR_EVER_NANOS = 1L << 61;

    private volatile QuotaLease head;

    QuotaLeases(long nowNanos) {
        head = new QuotaLease(0, nowNanos, 0, nowNanos);
    }

    /** Takes permits; returns where from, or null if there are not so many. Does not allocate. */
    @Nullable QuotaLease take(long permits, long nowNanos) {
        QuotaLease from = head;
        while (from != null) {
            long left = from.get();
            while (left >= permits && nowNanos - from.untilNanos < 0) {
                if (from.weakCompareAndSetVolatile(left, left - permits)) {
                    return from;
                }
                left = from.get();
            }
            from = from.next;
        }
        return null;
    }

    /** Gives back what was taken from a lease, if there is such a one. */
    boolean giveBack(long permits, long sentNanos, long nowNanos) {
        for (QuotaLease held = head; held != null; held = held.next) {
            if (held.sentNanos == sentNanos && held.initial > 0 && held.isLive(nowNanos)) {
                held.addAndGet(permits);
                return true;
            }
        }
        return false;
    }

    void add(QuotaLease added) {
        QuotaLease last = head;
        for (QuotaLease next = last.next; next != null; next = next.next) {
            last = next;
        }
        last.next = added;
    }

    /**
     * Counts locally from what the store has left: at most so much ahead, with what is not told yet.
     *
     * @param owed what was used and not told, besides of the lease
     * @return what was used and not told, with that
     */
    long recount(long ahead, long remaining, long owed, long sentNanos, long refreshNanos) {
        QuotaLease old = head;
        long untold = owed + old.untold(old.getAndSet(0));
        long permits = Math.max(0, Math.min(ahead, remaining) - untold);
        head = new QuotaLease(permits, sentNanos, FOR_EVER_NANOS, refreshNanos);
        return untold;
    }

    /** Returns how many were used since this was asked last, and forgets leases that are of no use. */
    long tellUsed(long nowNanos, LongAdder lapsed) {
        long used = 0;
        QuotaLease held = head;
        while (held != null) {
            QuotaLease next = held.next;
            boolean isLive = held.isLive(nowNanos);
            long left = isLive ? held.get() : held.getAndSet(0);
            used += held.untold(left);
            if (!isLive && left > 0) {
                lapsed.add(left);
                held.told += left; // was not used
            }
            if (next != null && held == head && (!isLive || left == 0)) {
                head = next;
            }
            held = next;
        }
        return used;
    }

    /** Returns how many there are to use. */
    long held(long nowNanos) {
        long sum = 0;
        for (QuotaLease each = head; each != null; each = each.next) {
            sum += each.isLive(nowNanos) ? each.get() : 0;
        }
        return sum;
    }

    /** Returns how many of the first were used and not told. */
    long untold() {
        QuotaLease first = head;
        return first.initial - first.get() - first.told;
    }
}
