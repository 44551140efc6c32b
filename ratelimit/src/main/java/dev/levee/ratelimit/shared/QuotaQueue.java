package dev.levee.ratelimit.shared;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The calls that wait for permits of one key, first come first served. All under the lock of the quota, but
 * {@link #staying}.
 */
final class QuotaQueue {
    private final Set<QuotaAsk> asks = new LinkedHashSet<>();

    /** How many of them wait for their turn, and must not be overtaken. Read by every call. */
    volatile int staying;

    /** How many permits all of them need together. */
    private volatile double permitsAhead;

    /** The smallest number of permits that {@link #serve} had not. 0 if all were served. */
    long unserved;

    boolean isEmpty() {
        return asks.isEmpty();
    }

    int size() {
        return asks.size();
    }

    /** Returns how many permits the first one needs. */
    long firstPermits() {
        return asks.iterator().next().permits;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
    void add(QuotaAsk ask, long turnNanos) {
        ask.state = QuotaAsk.WAITING;
        ask.turnNanos = turnNanos;
        asks.add(ask);
        permitsAhead += ask.permits;
        if (ask.stays) {
            staying++;
        }
    }

    /** Takes a call out that gives up. Returns whether it was waiting. */
    boolean leave(QuotaAsk ask, long now) {
        if (!asks.remove(ask)) {
            return false;
        }
        ask.state = QuotaAsk.LEFT;
        ask.waitNanos = Math.max(1, ask.turnNanos - now);
        left(ask);
        return true;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
    private void left(QuotaAsk ask) {
        permitsAhead = asks.isEmpty() ? 0 : permitsAhead - ask.permits;
        if (ask.stays) {
            staying--;
        }
    }

    static void admit(QuotaAsk ask, long takenNanos) {
        ask.takenNanos = takenNanos;
        ask.state = QuotaAsk.ADMITTED;
    }

    static void refuse(QuotaAsk ask, long waitNanos) {
        ask.waitNanos = Math.max(1, waitNanos);
        ask.state = QuotaAsk.REFUSED;
    }

    private void end(Iterator<QuotaAsk> each, QuotaAsk ask, List<QuotaAsk> ended) {
        each.remove();
        left(ask);
        ended.add(ask);
    }

    /** Refuses those that have waited for too long. */
    void expire(long now, List<QuotaAsk> ended) {
        for (Iterator<QuotaAsk> each = asks.iterator(); each.hasNext(); ) {
            QuotaAsk ask = each.next();
            if (ask.untilNanos - now <= 0) {
                refuse(ask, ask.turnNanos - now);
                end(each, ask, ended);
            }
        }
    }

    /** Takes all out. */
    List<QuotaAsk> drain() {
        List<QuotaAsk> all = new ArrayList<>(asks);
        asks.clear();
        all.forEach(this::left);
        return all;
    }

    /** Returns how many permits all need together, at most some, and notes that they were asked for. */
    long demanded(long most) {
        long sum = 0;
        for (QuotaAsk ask : asks) {
            sum = ask.permits >= most - sum ? most : sum + ask.permits;
            ask.isAsked = true;
        }
        return sum;
    }

    /** Returns the smallest number of permits that one needs which would be served now; 0 if there is none. */
    long needed() {
        long least = 0;
        for (QuotaAsk ask : asks) {
            least = least == 0 ? ask.permits : Math.min(least, ask.permits);
            if (ask.stays) {
                break; // those behind it must not overtake it
            }
        }
        return least;
    }

    /**
     * Serves calls in their order, from a number of permits and from leases.
     *
     * @return how many permits are left
     */
    long serve(long permits, long sentNanos, QuotaLeases leases, long now, List<QuotaAsk> ended) {
        long pool = permits;
        unserved = 0;
        boolean isBehind = false;
        for (Iterator<QuotaAsk> each = asks.iterator(); each.hasNext(); ) {
            QuotaAsk ask = each.next();
            QuotaLease from = isBehind ? null : leases.take(ask.permits, now);
            if (from != null) {
                admit(ask, from.sentNanos);
            } else if (!isBehind && ask.permits <= pool) {
                pool -= ask.permits;
                admit(ask, sentNanos);
            } else {
                if (ask.isAsked) {
                    unserved = unserved == 0 ? ask.permits : Math.min(unserved, ask.permits);
                }
                isBehind |= ask.stays;
                continue;
            }
            end(each, ask, ended);
        }
        return pool;
    }

    /** Refuses those that were not served and do not stay, or would stay for too long. */
    void refuseUnserved(SharedPlan plan, QuotaDenial denial, StoreAnswer last, long now, List<QuotaAsk> ended) {
        double ahead = 0;
        for (Iterator<QuotaAsk> each = asks.iterator(); each.hasNext(); ) {
            QuotaAsk ask = each.next();
            long denied = denial.waitNanos(plan, ask.permits, now);
            if (denied == 0 && !ask.isAsked) {
                ahead += ask.permits;
                continue; // the next request asks for it
            }
            ask.isAsked = false;
            long wait = Math.max(1, Math.max(denied, last.nanosUntil(plan, ahead + ask.permits, now)));
            ask.turnNanos = now + wait;
            if (ask.stays && ask.turnNanos - ask.untilNanos <= 0) {
                ahead += ask.permits;
            } else {
                refuse(ask, wait);
                end(each, ask, ended);
            }
        }
    }

    /**
     * Returns for how long a call would wait that is denied for a time, behind all others, as far as is known. Also
     * without the lock.
     */
    long waitNanos(SharedPlan plan, long deniedNanos, long permits, StoreAnswer last, long now) {
        if (staying == 0) {
            return last.waitNanos(plan, deniedNanos, permits, now);
        }
        return Math.max(Math.max(1, deniedNanos), last.nanosUntil(plan, permitsAhead + permits, now));
    }
}
