package dev.levee.ratelimit.shared;

import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.StackRoom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a process holds and knows of one limiter and key: leases, the last denial, the calls that wait for an answer.
 *
 * <pre>{@code
 * call -> leases: taken   (a clock reading, a compare-and-set)
 *      -> denial: refused (a read)
 *      -> outage: by the policy
 *      -> waits, and one request is on its way for all that wait
 *
 * IDLE --submit--> QUEUED --request--> SENT --answered, dropped--> IDLE
 * }</pre>
 *
 * <p>The lock is held for a few steps. No user code runs under it; the link is not called under it. See ADR 142.
 */
final class SharedQuota {
    /** The answer that the store has to be asked. */
    static final long ASK = -1;

    private static final long CONFLICT_PAUSE_NANOS = 1_000_000_000;
    private static final long FOR_EVER_NANOS = 1L << 61;
    private static final int PARTS_OF_LIFE = 4;
    private static final int MAX_CAPACITIES_OWED = 64;

    /** What has become of the request. */
    private enum Way {
        IDLE,
        QUEUED,
        SENT
    }

    final SharedScope scope;
    final String key;
    private final NanoClock clock;
    private final ReentrantLock lock = new ReentrantLock();

    private final QuotaLeases leases;
    private final QuotaQueue queue = new QuotaQueue();

    private volatile QuotaDenial denial;

    private volatile boolean isInConflict;
    private final AtomicLong nextTry;

    /** What is admitted in this outage; null if nothing was. Written under the lock. */
    private volatile @Nullable OutageShare share;

    /** Whether it was used since the table of keys has looked. */
    volatile boolean isFresh = true;

    // Under the lock.
    private final StoreClock storeClock = new StoreClock();
    private Way way = Way.IDLE;
    private @Nullable SharedPlan planSeen;

    /** What was used without asking, and not sent yet. */
    private long owed;

    /** What comes back, and was not sent yet, and since when it was taken. */
    private long returned;

    private long returnedTaken;

    /** What of both is on its way. */
    private long sentOwed;

    private long sentNeeded;

    /** How many permits were used since the last request, of those that were not taken from leases. */
    private long used;

    /** How many permits are worth taking ahead. */
    private double size;

    private long lastRequestNanos;
    private boolean wantsMore;
    private boolean isTimerSet;
    private long timerNanos;

    /** What the store has said last. */
    private long remaining;

    private long resetNanos;
    private long answeredNanos;
    private boolean isAnswered;

    SharedQuota(SharedScope scope, String key) {
        this.scope = scope;
        this.key = key;
        this.clock = scope.clock;
        long now = clock.nanoTime();
        leases = new QuotaLeases(now);
        denial = new QuotaDenial(Long.MAX_VALUE, now);
        nextTry = new AtomicLong(now);
        lastRequestNanos = now;
    }

    private boolean isOut() {
        return isInConflict || scope.link.isOut();
    }

    /** Takes permits of a lease; returns it, or null if there are not so many. Does not allocate. */
    @Nullable QuotaLease takeLeased(long permits, long nowNanos) {
        QuotaLease from = queue.staying > 0 ? null : leases.take(permits, nowNanos);
        if (from != null && !from.isRenewed && (from.get() <= from.low || nowNanos - from.refreshNanos >= 0)) {
            from.isRenewed = true;
            wantMore();
        }
        return from;
    }

    /** Takes permits that can be taken here and now. Returns 0, or a wait, or {@link #ASK}. Does not allocate. */
    long takeLocally(long permits, long nowNanos) {
        if (takeLeased(permits, nowNanos) != null) {
            return 0;
        }
        SharedPlan plan = scope.plan();
        if (permits > plan.capacity) {
            return QuotaGrant.NEVER;
        }
        long wait = denial.waitNanos(plan, permits, nowNanos);
        if (wait > 0) {
            return wait;
        }
        return isOut() ? takeInOutage(permits, nowNanos) : ASK;
    }

    private long takeInOutage(long permits, long nowNanos) {
        long next = nextTry.get();
        if (isInConflict && nowNanos - next >= 0 && nextTry.compareAndSet(next, nowNanos + CONFLICT_PAUSE_NANOS)) {
            wantMore();
        }
        OnOutage policy = scope.config.onOutage();
        if (policy.isClosed()) {
            return scope.link.isOut() ? scope.link.outageNanos(nowNanos) : Math.max(1, nextTry.get() - nowNanos);
        }
        OutageShare current = share;
        long wait = (current == null ? newShare() : current).take(permits);
        if (wait == 0) {
            scope.unasked.add(permits);
        }
        return wait;
    }

    private OutageShare newShare() {
        OutageShare made;
        lock.lock();
        try {
            made = share;
            if (made == null) {
                SharedPlan plan = scope.plan();
                long last = known(plan, clock.nanoTime());
                made = new OutageShare(scope.name, scope.config.onOutage(), plan.limit, last, scope.environment);
                share = made;
            }
        } finally {
            lock.unlock();
        }
        scope.link.chargeAfter(this);
        return made;
    }

    private void wantMore() {
        boolean submits;
        lock.lock();
        try {
            wantsMore = true;
            submits = becomesQueued();
        } finally {
            lock.unlock();
        }
        submitIf(submits);
    }

    private boolean becomesQueued() {
        if (way == Way.IDLE) {
            way = Way.QUEUED;
            return true;
        }
        return false;
    }

    private void submitIf(boolean submits) {
        if (submits) {
            scope.link.submit(this);
        }
    }

    /**
     * Decides about a call that could not be decided locally, or lets it wait.
     *
     * @return whether it waits, and is told of the end of its wait; otherwise it has ended and is not told
     */
    boolean ask(QuotaAsk ask) {
        StackRoom.require();
        boolean submits = false;
        lock.lock();
        try {
            long now = clock.nanoTime();
            SharedPlan plan = scope.plan();
            if (ask.permits > plan.capacity) {
                QuotaQueue.refuse(ask, QuotaGrant.NEVER);
                return false;
            }
            QuotaLease from = queue.staying > 0 ? null : leases.take(ask.permits, now);
            if (from != null) {
                QuotaQueue.admit(ask, from.sentNanos);
                return false;
            }
            long wait = Math.max(0, denial.waitNanos(plan, ask.permits, now));
            if (queue.staying > 0) {
                wait = Math.max(wait, queue.waitBehindAll(plan, ask.permits, known(plan, now)));
            }
            boolean isLate = wait > 0 && (!ask.stays || now + wait - ask.untilNanos > 0);
            if (isLate || queue.size() >= scope.config.maxWaiting() || ask.untilNanos - now <= 0) {
                QuotaQueue.refuse(ask, Math.max(1, wait));
                return false;
            }
            queue.add(ask, now + wait);
            submits = wakes(now);
        } finally {
            lock.unlock();
        }
        submitIf(submits);
        return true;
    }

    /** Sees to it that something happens for the calls that wait. Returns whether the request must be submitted. */
    private boolean wakes(long now) {
        if (way != Way.IDLE || (queue.isEmpty() && owed == 0 && returned == 0 && !wantsMore)) {
            return false;
        }
        if (!queue.isEmpty() && owed == 0 && returned == 0 && !wantsMore) {
            long wait = denial.waitNanos(scope.plan(), queue.firstPermits(), now);
            if (wait > 0) {
                setTimer(wait);
                return false;
            }
        }
        return becomesQueued();
    }

    private void setTimer(long nanos) {
        long due = clock.nanoTime() + nanos;
        if (!isTimerSet || due - timerNanos < 0) {
            isTimerSet = true;
            timerNanos = due;
            scope.environment.schedule(this::timerRuns, nanos);
        }
    }

    private void timerRuns() {
        boolean submits;
        List<QuotaAsk> ended = new ArrayList<>();
        lock.lock();
        try {
            isTimerSet = false;
            long now = clock.nanoTime();
            if (scope.plan().mode == SharedMode.RELAXED && leases.untold() > 0) {
                wantsMore = true;
            }
            queue.expire(now, ended);
            submits = wakes(now);
        } finally {
            lock.unlock();
        }
        tell(ended);
        submitIf(submits);
    }

    private static void tell(List<QuotaAsk> ended) {
        for (QuotaAsk ask : ended) {
            ask.tell();
        }
    }

    /**
     * Takes a call out of the queue.
     *
     * @return whether it was waiting; else its wait has ended
     */
    boolean leave(QuotaAsk ask) {
        StackRoom.require();
        lock.lock();
        try {
            return queue.leave(ask, clock.nanoTime());
        } finally {
            lock.unlock();
        }
    }

    /** Gives permits back that were taken by a request that was sent at a time: to its lease, or to the store. */
    void giveBack(long permits, long takenNanos) {
        if (takenNanos == QuotaAsk.UNASKED) {
            return;
        }
        boolean submits;
        lock.lock();
        try {
            long now = clock.nanoTime();
            if (leases.giveBack(permits, takenNanos, now)) {
                return;
            }
            Long taken = storeClock.earliest(takenNanos);
            if (taken == null) {
                return;
            }
            comesBack(permits, taken);
            submits = wakes(now);
        } finally {
            lock.unlock();
        }
        submitIf(submits);
    }

    private void comesBack(long permits, long takenStoreNanos) {
        returnedTaken = returned == 0 ? takenStoreNanos : Math.min(returnedTaken, takenStoreNanos);
        returned += permits;
    }

    /** Counts what was used and is not told; no more than a store can count. */
    private void owe(long permits) {
        long capacity = scope.plan().terms.limit().capacity();
        long most = capacity > Long.MAX_VALUE / MAX_CAPACITIES_OWED ? Long.MAX_VALUE : capacity * MAX_CAPACITIES_OWED;
        owed = permits > most - owed ? Math.max(owed, most) : owed + permits;
    }

    /** Counts what was used in excess, or not used. */
    void settle(long permits) {
        boolean submits;
        lock.lock();
        try {
            if (permits > 0) {
                owe(permits);
            } else if (permits < 0) {
                comesBack(-permits, Long.MAX_VALUE);
            }
            submits = wakes(clock.nanoTime());
        } finally {
            lock.unlock();
        }
        submitIf(submits);
    }

    /** Sends the limit to the store, so that it applies to all. */
    void reconfigured() {
        wantMore();
    }

    /** Makes the request that is sent now. Called by the link, once for each time that it was submitted. */
    QuotaRequest request(long now) {
        lock.lock();
        try {
            way = Way.SENT;
            wantsMore = false;
            SharedPlan plan = scope.plan();
            if (plan != planSeen) {
                planSeen = plan;
                denial = new QuotaDenial(Long.MAX_VALUE, now);
            }
            OutageShare over = share;
            if (over != null && !isOut()) {
                share = null;
                owed += over.owed();
            }
            long fresh = leases.tellUsed(now, scope.lapsed);
            long demanded = 0;
            sentNeeded = 0;
            if (plan.mode == SharedMode.RELAXED) {
                owed += fresh;
            } else {
                sentNeeded = Math.min(queue.needed(), plan.capacity);
                demanded = Math.max(sentNeeded, queue.demanded(plan.capacity));
                resize(plan, fresh + used, now);
            }
            used = 0;
            lastRequestNanos = now;
            long wanted = demanded + (plan.terms.lifeNanos() > 0 ? (long) size : 0);
            sentOwed = owed;
            long usedNow = owed > 0 ? owed : -returned;
            long taken = usedNow < 0 ? returnedTaken : Long.MAX_VALUE;
            owed = 0;
            returned = 0;
            return new QuotaRequest(
                    scope.name,
                    key,
                    plan.terms,
                    usedNow,
                    taken,
                    sentNeeded,
                    demanded,
                    wanted,
                    storeClock.latest(now));
        } finally {
            lock.unlock();
        }
    }

    /** Finds how many permits are used in half the life of a lease, at the pace since the last request. */
    private void resize(SharedPlan plan, long count, long now) {
        long life = plan.terms.lifeNanos();
        double pace = (double) count / Math.max(now - lastRequestNanos, Math.max(1, life / 16));
        double next = pace * (life / 2.0);
        size = next > size ? Math.min(next, 2 * size + 2) : (size + next) / 2;
    }

    /** Takes the answer to the request. Called by the link. */
    void answered(QuotaGrant grant, long firstSentNanos, long now) {
        List<QuotaAsk> ended = new ArrayList<>();
        boolean submits = false;
        boolean conflicts = grant.conflict();
        lock.lock();
        try {
            way = Way.IDLE;
            storeClock.answered(grant.storeNanos(), firstSentNanos, now);
            QuotaTerms other = grant.other();
            if (conflicts) {
                owed += sentOwed;
                isInConflict = true;
                nextTry.set(now + CONFLICT_PAUSE_NANOS);
                scope.conflict(scope.plan().terms, other);
            } else {
                if (isInConflict) {
                    isInConflict = false;
                    scope.conflictEnded();
                }
                if (other != null) {
                    scope.adopt(other);
                }
                remaining = grant.remaining();
                resetNanos = grant.resetNanos();
                answeredNanos = now;
                isAnswered = true;
                serve(grant, firstSentNanos, now, ended);
                wantsMore |= share != null && !isOut();
                submits = wakes(now);
            }
            sentOwed = 0;
        } finally {
            lock.unlock();
        }
        tell(ended);
        if (conflicts) {
            outage(false);
        }
        submitIf(submits);
    }

    private void serve(QuotaGrant grant, long sent, long now, List<QuotaAsk> ended) {
        SharedPlan plan = scope.plan();
        long life = plan.terms.lifeNanos();
        long pool = grant.permits();
        if (plan.mode == SharedMode.RELAXED) {
            renewCount(plan, sent, now);
        } else if (life > 0 && now - sent >= life) { // too late to be used: the store counts them as used by now
            scope.lapsed.add(pool);
            pool = 0;
        }
        long left = queue.serve(pool, sent, leases, now, ended);
        used += pool - left;
        if (left > 0 && life > 0) {
            leases.add(new QuotaLease(left, sent, life, sent + life / 2));
        } else if (left > 0) {
            comesBack(left, grant.storeNanos());
        }
        deny(plan, grant, queue.unserved, now);
        queue.refuseUnserved(plan, denial, remaining, now, ended);
    }

    /** Counts locally from what the store has left: at most so much ahead, with what is not told yet. */
    private void renewCount(SharedPlan plan, long sent, long now) {
        owed += leases.replace(new QuotaLease(0, sent, FOR_EVER_NANOS, now + scope.periodNanos));
        long permits = Math.max(0, Math.min(plan.ahead, remaining) - owed);
        leases.replace(new QuotaLease(permits, sent, FOR_EVER_NANOS, now + scope.periodNanos));
        setTimer(scope.periodNanos);
    }

    /** Finds from when on it makes sense to ask again. */
    private void deny(SharedPlan plan, QuotaGrant grant, long unserved, long now) {
        long wait = 0;
        long from = unserved;
        if (grant.permits() == 0 && sentNeeded > 0 && grant.waitNanos() > 0) {
            from = sentNeeded;
            wait = grant.waitNanos();
        } else if (plan.mode == SharedMode.RELAXED && leases.held(now) < 1) {
            from = 1;
            wait = plan.nanosFor(1.0 - Math.min(0, remaining));
        } else if (unserved > 0) {
            wait = Math.max(1, plan.nanosFor((double) unserved - Math.max(0, remaining)));
        } else if (remaining < 1 && sentNeeded > 0 && leases.held(now) == 0) {
            from = 1;
            wait = plan.nanosFor(1.0 - remaining);
        }
        if (wait <= 0) {
            return;
        }
        long life = plan.terms.lifeNanos();
        if (life > 0 && remaining < grant.sharers()) { // leaves to each of the others as much as this one has got
            long turn = plan.nanosFor((double) grant.sharers() * Math.max(1, grant.permits()));
            wait = Math.max(wait, Math.min(life / PARTS_OF_LIFE, turn));
        }
        denial = new QuotaDenial(from, now + wait);
    }

    /**
     * Decides all calls that wait by the outage policy.
     *
     * @param wasQueued whether the request was not sent
     */
    void outage(boolean wasQueued) {
        List<QuotaAsk> ended;
        lock.lock();
        try {
            if (wasQueued) {
                way = Way.IDLE;
            }
            ended = queue.drain();
        } finally {
            lock.unlock();
        }
        for (QuotaAsk ask : ended) {
            long wait = takeInOutage(ask.permits, clock.nanoTime());
            lock.lock();
            try {
                if (wait == 0) {
                    QuotaQueue.admit(ask, QuotaAsk.UNASKED);
                } else {
                    QuotaQueue.refuse(ask, wait);
                }
            } finally {
                lock.unlock();
            }
        }
        tell(ended);
        chargeAfterOutage();
    }

    private void chargeAfterOutage() {
        boolean owes;
        lock.lock();
        try {
            owes = owed > 0 || share != null;
        } finally {
            lock.unlock();
        }
        if (owes && scope.link.isOut()) {
            scope.link.chargeAfter(this);
        }
    }

    /** Takes the news that it will never be known whether the request was carried out. */
    void dropped() {
        lock.lock();
        try {
            way = Way.IDLE;
            owed += sentOwed;
            sentOwed = 0;
        } finally {
            lock.unlock();
        }
        chargeAfterOutage();
    }

    /** Becomes the one request of a probe, unless one is on its way. */
    boolean beginsProbe() {
        lock.lock();
        try {
            return becomesQueued();
        } finally {
            lock.unlock();
        }
    }

    /** Has charged what was admitted in the outage. */
    void recovered() {
        wantMore();
    }

    /** Returns how many permits the store has, as far as is known. */
    private long known(SharedPlan plan, long now) {
        return isAnswered ? remainingAt(now) : plan.terms.limit().capacity();
    }

    private long remainingAt(long now) {
        SharedPlan plan = scope.plan();
        double since = plan.permitsIn(Math.max(0, now - answeredNanos));
        return (long) Math.min((double) plan.terms.limit().capacity(), remaining + since);
    }

    /** Returns how many permits could be taken, as far as is known. */
    long available() {
        lock.lock();
        try {
            long now = clock.nanoTime();
            SharedPlan plan = scope.plan();
            long there = known(plan, now);
            if (plan.mode == SharedMode.RELAXED) {
                there -= leases.untold();
                return Math.max(0, there);
            }
            return Math.max(0, there) + leases.held(now);
        } finally {
            lock.unlock();
        }
    }

    long held() {
        return leases.held(clock.nanoTime());
    }

    /** Returns when the limit would be unused, as far as is known. */
    long resetNanos() {
        lock.lock();
        try {
            return isAnswered ? Math.max(0, resetNanos - Math.max(0, clock.nanoTime() - answeredNanos)) : 0;
        } finally {
            lock.unlock();
        }
    }

    /** Returns when the next permit could be there, as far as is known; 0 if that is now. */
    long nextNanos() {
        long now = clock.nanoTime();
        long wait = denial.waitNanos(scope.plan(), 1, now);
        return wait > 0 || !scope.link.isOut() || !scope.config.onOutage().isClosed()
                ? Math.max(0, wait)
                : scope.link.outageNanos(now);
    }

    int waiting() {
        lock.lock();
        try {
            return queue.size();
        } finally {
            lock.unlock();
        }
    }

    /** Whether nothing is lost if it is forgotten, but permits that would lapse. */
    boolean isIdle() {
        lock.lock();
        try {
            return way == Way.IDLE && queue.isEmpty() && owed == 0 && returned == 0 && share == null;
        } finally {
            lock.unlock();
        }
    }

    /** Parks a thread until the wait of its call has ended. Returns false if it was interrupted before. */
    boolean await(QuotaAsk ask) {
        Scheduler scheduler = scope.environment.scheduler();
        while (ask.isWaiting()) {
            long left = ask.untilNanos - clock.nanoTime();
            if (left <= 0) {
                leave(ask);
                return true;
            }
            scheduler.park(scope, left);
            if (ask.isWaiting() && Thread.currentThread().isInterrupted()) {
                return false;
            }
        }
        return true;
    }
}
