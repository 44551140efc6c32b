package dev.levee.ratelimit.shared;

import dev.levee.core.NanoClock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
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
 * <p>The lock is held for a few steps. No user code runs under it; the link is not called under it. What a call begins
 * with asks for the stack that all of this needs. See ADR 142 and ADR 72.
 */
final class SharedQuota {
    /** The answer that the store has to be asked. */
    static final long ASK = -1;

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
    final QuotaOutage outage;

    /** Whether it was used since the table of keys has looked. */
    volatile boolean isFresh = true;

    // Under the lock.
    private final StoreClock storeClock = new StoreClock();
    private Way way = Way.IDLE;
    private @Nullable SharedPlan planSeen;
    private final QuotaAccount account = new QuotaAccount();
    private volatile StoreAnswer last = StoreAnswer.NONE;
    private long sentNeeded;

    /** How many permits were used since the last request, of those that were not taken from leases. */
    private long used;

    private final LeaseSize size;
    private boolean wantsMore;
    private final QuotaTimer timer;

    SharedQuota(SharedScope scope, String key) {
        this.scope = scope;
        this.key = key;
        this.clock = scope.clock;
        long now = clock.nanoTime();
        leases = new QuotaLeases(now);
        denial = new QuotaDenial(Long.MAX_VALUE, now);
        outage = new QuotaOutage(scope, now);
        size = new LeaseSize(now);
        timer = new QuotaTimer(scope.environment, this::timerRuns);
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
        long wait = queue.waitNanos(plan, denial.waitNanos(plan, permits, nowNanos), permits, last, nowNanos);
        if (wait > 0) {
            return wait;
        }
        return outage.isOn() ? takeInOutage(permits, nowNanos) : ASK;
    }

    private long takeInOutage(long permits, long nowNanos) {
        if (outage.isToAsk(nowNanos)) {
            wantMore();
        }
        if (scope.config.onOutage().isClosed()) {
            return outage.closedNanos(nowNanos);
        }
        OutageShare current = outage.share();
        if (current == null) {
            current = locked(() -> outage.begin(last.remaining(scope.plan(), clock.nanoTime())));
            scope.link.chargeAfter(this);
        }
        long wait = current.take(permits);
        if (wait == 0) {
            scope.unasked.add(permits);
        }
        return wait;
    }

    /** Sends a request soon: for more permits, for a charge, for another limit. */
    void wantMore() {
        change(() -> {
            wantsMore = true;
            return becomesQueued();
        });
    }

    /** Changes something under the lock, and submits the request if the change says so. */
    private void change(Supplier<Boolean> change) {
        submitIf(locked(change));
    }

    private <T> T locked(Supplier<T> step) {
        lock.lock();
        try {
            return step.get();
        } finally {
            lock.unlock();
        }
    }

    private boolean becomesQueued() {
        boolean wasIdle = way == Way.IDLE;
        way = wasIdle ? Way.QUEUED : way;
        return wasIdle;
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
        boolean submits = false;
        boolean isOutage;
        lock.lock();
        try {
            long now = clock.nanoTime();
            SharedPlan plan = scope.plan();
            isOutage = outage.isOn();
            if (ask.permits > plan.capacity) {
                QuotaQueue.refuse(ask, QuotaGrant.NEVER);
                return false;
            }
            QuotaLease from = queue.staying > 0 ? null : leases.take(ask.permits, now);
            if (from != null) {
                QuotaQueue.admit(ask, from.sentNanos);
                return false;
            }
            long wait = queue.waitNanos(plan, denial.waitNanos(plan, ask.permits, now), ask.permits, last, now);
            boolean isLate = wait > 0 && (!ask.stays || now + wait - ask.untilNanos > 0);
            if (isLate || queue.size() >= scope.config.maxWaiting() || ask.untilNanos - now <= 0) {
                QuotaQueue.refuse(ask, Math.max(1, wait));
                return false;
            }
            if (!isOutage) {
                queue.add(ask, now + wait);
                submits = wakes(now);
            }
        } finally {
            lock.unlock();
        }
        if (isOutage) {
            decideInOutage(ask);
            return false;
        }
        submitIf(submits);
        return true;
    }

    /** Sees to it that something happens for the calls that wait. Returns whether the request must be submitted. */
    private boolean wakes(long now) {
        if (way != Way.IDLE) {
            return false;
        }
        if (wantsMore || (!account.isEmpty() && !isPeriodic())) {
            return becomesQueued();
        }
        long wait = queue.isEmpty() ? 0 : denial.waitNanos(scope.plan(), queue.firstPermits(), now);
        if (!queue.isEmpty() && wait <= 0) {
            return becomesQueued();
        }
        if (wait > 0) {
            timer.want(wait);
        }
        if (isUntold()) {
            timer.want(scope.periodNanos);
        }
        return false;
    }

    private boolean isPeriodic() {
        return scope.plan().mode == SharedMode.RELAXED;
    }

    /** Whether there is something to tell the store of, once in a period; under the lock. */
    private boolean isUntold() {
        return isPeriodic() && (leases.untold() > 0 || !account.isEmpty());
    }

    private void timerRuns() {
        boolean submits;
        List<QuotaAsk> ended = new ArrayList<>();
        lock.lock();
        try {
            timer.ran();
            long now = clock.nanoTime();
            wantsMore |= isUntold();
            queue.expire(now, ended);
            submits = wakes(now);
        } finally {
            lock.unlock();
        }
        ended.forEach(QuotaAsk::tell);
        submitIf(submits);
    }

    /**
     * Takes a call out of the queue.
     *
     * @return whether it was waiting; else its wait has ended
     */
    boolean leave(QuotaAsk ask) {
        return locked(() -> {
            long now = clock.nanoTime();
            boolean wasWaiting = queue.leave(ask, now);
            if (wasWaiting && ask.stays && !queue.isEmpty()) { // those behind it move up
                timer.want(Math.max(0, denial.waitNanos(scope.plan(), queue.firstPermits(), now)));
            }
            return wasWaiting;
        });
    }

    /** Gives permits back that were taken by a request that was sent at a time: to its lease, or to the store. */
    void giveBack(long permits, long takenNanos) {
        change(() -> {
            long now = clock.nanoTime();
            Long taken = storeClock.earliest(takenNanos);
            if (takenNanos == QuotaAsk.UNASKED || leases.giveBack(permits, takenNanos, now) || taken == null) {
                return false;
            }
            account.comesBack(permits, taken);
            return wakes(now);
        });
    }

    /** Counts what was used in excess, or not used. */
    void settle(long permits) {
        change(() -> {
            if (permits > 0) {
                account.owe(permits, scope.plan().terms.limit().capacity());
            } else if (permits < 0) {
                account.comesBack(-permits, Long.MAX_VALUE);
            }
            return wakes(clock.nanoTime());
        });
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
            account.owed += outage.end();
            long fresh = leases.tellUsed(now, scope.lapsed);
            long demanded = 0;
            long ahead = 0;
            sentNeeded = 0;
            if (plan.mode == SharedMode.RELAXED) {
                account.owed += fresh;
            } else {
                sentNeeded = Math.min(queue.needed(), plan.capacity);
                demanded = Math.max(sentNeeded, queue.demanded(plan.capacity));
                ahead = size.next(fresh + used, plan.terms.lifeNanos(), now);
            }
            used = 0;
            long taken = account.takenNanos();
            return new QuotaRequest(
                    scope.name,
                    key,
                    plan.terms,
                    account.send(),
                    taken,
                    sentNeeded,
                    demanded,
                    demanded + ahead,
                    storeClock.latest(now));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes the answer to the request. Called by the link.
     *
     * @param wasPrompt whether it was sent once and answered in time; it says nothing about clocks otherwise, as it is
     *     not known which copy was carried out (P. Karn, C. Partridge, "Improving round-trip time estimates in reliable
     *     transport protocols", 1987)
     */
    void answered(QuotaGrant grant, long firstSentNanos, long now, boolean wasPrompt) {
        List<QuotaAsk> ended = new ArrayList<>();
        boolean submits = false;
        boolean isDecided = grant.failure() == null && !grant.conflict();
        lock.lock();
        try {
            way = Way.IDLE;
            if (wasPrompt && grant.failure() == null) {
                storeClock.answered(grant.storeNanos(), firstSentNanos, now);
            }
            QuotaTerms other = grant.other();
            account.sent(isDecided);
            outage.told(key, grant, now);
            if (isDecided) {
                if (other != null) {
                    scope.adopt(other);
                }
                last = new StoreAnswer(true, grant.remaining(), grant.resetNanos(), now);
                serve(grant, firstSentNanos, now, ended);
                wantsMore |= outage.share() != null && !outage.isOn();
                submits = wakes(now);
            }
        } finally {
            lock.unlock();
        }
        ended.forEach(QuotaAsk::tell);
        if (!isDecided) {
            outage(false);
        }
        submitIf(submits);
    }

    private void serve(QuotaGrant grant, long sent, long now, List<QuotaAsk> ended) {
        SharedPlan plan = scope.plan();
        long life = plan.terms.lifeNanos();
        long pool = grant.permits();
        if (plan.mode == SharedMode.RELAXED) {
            account.owed = leases.recount(plan.ahead, last.remaining(), account.owed, sent, now + scope.periodNanos);
            timer.want(scope.periodNanos);
        } else if (life > 0 && now - sent >= life) { // too late to be used: the store counts them as used by now
            scope.lapsed.add(pool);
            pool = 0;
        }
        long left = queue.serve(pool, sent, leases, now, ended);
        used += pool - left;
        if (left > 0 && life > 0) {
            leases.add(new QuotaLease(left, sent, life, sent + life / 2));
        } else if (left > 0) {
            account.comesBack(left, grant.storeNanos());
        }
        long there = isPeriodic()
                ? Math.max(leases.held(now), grant.remaining() - account.owed - leases.untold())
                : grant.remaining();
        QuotaDenial next = isPeriodic()
                ? QuotaDenial.ofRelaxed(plan, Math.max(1, queue.needed()), there, now)
                : QuotaDenial.of(plan, grant, sentNeeded, queue.unserved, leases.held(now), now);
        denial = next != null ? next : denial.unless(there, now);
        queue.refuseUnserved(plan, denial, last, now, ended);
    }

    /**
     * Decides all calls that wait by the outage policy.
     *
     * @param isIdle whether the request is not on its way: not sent, or given up
     */
    void outage(boolean isIdle) {
        List<QuotaAsk> ended;
        boolean owes;
        lock.lock();
        try {
            way = isIdle ? Way.IDLE : way;
            ended = queue.drain();
            owes = account.owed > 0 || outage.share() != null;
        } finally {
            lock.unlock();
        }
        for (QuotaAsk ask : ended) {
            try {
                decideInOutage(ask);
            } finally {
                if (ask.isWaiting()) { // no memory, or a part of the environment: it is in no queue any more
                    QuotaQueue.refuse(ask, 1);
                }
                ask.tell();
            }
        }
        if (owes && scope.link.isOut()) {
            scope.link.chargeAfter(this);
        }
    }

    private void decideInOutage(QuotaAsk ask) {
        long wait = takeInOutage(ask.permits, clock.nanoTime());
        if (wait == 0) {
            QuotaQueue.admit(ask, QuotaAsk.UNASKED);
        } else {
            QuotaQueue.refuse(ask, wait);
        }
    }

    /** Takes the news that it will never be known whether the request was carried out. */
    void dropped() {
        change(() -> {
            account.sent(false);
            return false;
        });
        outage(true);
    }

    /** Becomes the one request of a probe, unless one is on its way. */
    boolean beginsProbe() {
        return locked(this::becomesQueued);
    }

    /** Returns how many permits could be taken, as far as is known. */
    long available() {
        long now = clock.nanoTime();
        SharedPlan plan = scope.plan();
        long there = last.remaining(plan, now);
        return plan.mode == SharedMode.RELAXED
                ? Math.max(0, there - leases.untold())
                : Math.max(0, there) + leases.held(now);
    }

    long held() {
        return leases.held(clock.nanoTime());
    }

    /** Returns when the limit would be unused, as far as is known. */
    long resetNanos() {
        return last.resetNanos(clock.nanoTime());
    }

    /** Returns when the next permit could be there, as far as is known; 0 if that is now. */
    long nextNanos() {
        long now = clock.nanoTime();
        SharedPlan plan = scope.plan();
        long wait = queue.waitNanos(plan, denial.waitNanos(plan, 1, now), 1, last, now);
        return wait > 0 || !scope.link.isOut() || !scope.config.onOutage().isClosed()
                ? Math.max(0, wait)
                : scope.link.outageNanos(now);
    }

    /** Returns why the store cannot decide about this key; null if it can, as far as is known. */
    @Nullable RuntimeException failure() {
        return outage.failure();
    }

    int waiting() {
        return locked(queue::size);
    }

    /**
     * Whether nothing is lost if it is forgotten, but permits that would lapse.
     *
     * @param anyhow whether also what was used in an outage may be lost
     */
    boolean isIdle(boolean anyhow) {
        return locked(() -> {
            boolean owesNothing = account.isEmpty() && outage.share() == null && !isUntold();
            return way == Way.IDLE && queue.isEmpty() && (owesNothing || (anyhow && outage.isOn()));
        });
    }
}
