package dev.levee.ratelimit.concurrency;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.CallTime;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Priority;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Trampoline;
import dev.levee.core.policy.PolicyMetrics;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of {@link SheddingBulkhead}: permits in one word, and a queue under a lock beside it.
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>A call takes a permit by one exchange of the {@link PermitWord}, which finds in flight below the limit; without
 *       the lock only if it also finds that none waits. So a call that comes never goes before one that waits.
 *   <li>The bit "waiting" is set while the queue has a waiter. So a thread that gives a permit back later sees it and
 *       runs {@link #assign}, and no permit stays free beside a waiter.
 *   <li>What becomes of a waiter is decided once, under the lock. A permit is taken for it before and is its own from
 *       then on; its future is completed without the lock, as all code that may be a user's is run.
 * </ul>
 *
 * <p>The stamp of a call that has not waited is 1; that of one that has is when it was begun, but for the two highest
 * bits, and 3. So how long calls take is learned from those that have waited, as in core's bulkhead. Where the limit is
 * found by itself, stamps are those of {@link AdaptivePermits}, with a bit for calls that have waited.
 *
 * <p>See ADR 93 and ADR 114.
 */
@SuppressWarnings("EnumOrdinal") // their order, from the most critical, is meant
final class PriorityBulkhead implements SheddingBulkhead {
    private static final long NOT_WAITED = 1;
    private static final long WAITED = 3;
    private static final int TIME_SHIFT = 2;

    /** Of the stamp of a call that has waited, where the limit is found by itself. */
    private static final long WAITED_BIT = 1L << AdaptivePermits.FREE_BIT;

    private final String name;
    private final SheddingBulkheadConfig config;
    private final Environment environment;
    private final PermitWord permits;

    /** What the limit is learnt from; null if it is fixed. */
    private final @Nullable AdaptivePermits adaptive;

    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by the lock, see there. */
    private final ShedQueue queue;

    private final CallTime callTime = new CallTime();
    private final ShedException[] refusals;
    private final Runnable assigning = this::assignAll;

    PriorityBulkhead(String name, SheddingBulkheadConfig config, Environment environment) {
        this(
                name,
                config,
                environment,
                new ShedQueue(Require.nonNull("config", config)),
                new PermitWord(config.maxConcurrent()));
    }

    /** For tests, which plant faults in the queue or the permits. */
    PriorityBulkhead(
            String name, SheddingBulkheadConfig config, Environment environment, ShedQueue queue, PermitWord permits) {
        this.name = Require.name(name);
        this.config = config;
        this.environment = Require.nonNull("environment", environment);
        this.permits = permits;
        this.queue = queue;
        this.adaptive = config.adaptive()
                .map(settings -> new AdaptivePermits(name, settings, environment, permits::setLimit))
                .orElse(null);
        this.refusals = ShedException.sharedOf(this, this::retryAfterNanos);
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        if (permits.tryTake()) {
            return stampOfNewcomer();
        }
        if (adaptive != null) {
            adaptive.noteRefusal();
        }
        return REFUSED;
    }

    /** Of a call that has taken a permit and has not waited. */
    private long stampOfNewcomer() {
        return adaptive == null ? NOT_WAITED : adaptive.begin();
    }

    /** Of a call for which a permit was taken when its turn came; under the lock. */
    private long stampOfWaiter(long nowNanos) {
        return adaptive == null ? stampOf(nowNanos) : adaptive.begin(nowNanos) | WAITED_BIT;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        if (adaptive != null) {
            exit(adaptive, stamp, verdict);
            return;
        }
        permits.giveBack();
        try {
            if ((stamp & WAITED) == WAITED) {
                long now = environment.clock().nanoTime();
                learn((stampOf(now) - stamp) >>> TIME_SHIFT, now, verdict);
            }
        } finally {
            assign();
        }
    }

    private void exit(AdaptivePermits known, long stamp, Verdict verdict) {
        long since = known.since(stamp);
        if (!known.free(stamp)) {
            return; // it was given back before
        }
        int inFlight = permits.giveBack();
        try {
            known.learn(stamp, since, inFlight, verdict);
            if ((stamp & WAITED_BIT) != 0) {
                long now = environment.clock().nanoTime();
                learn(now - since, now, verdict);
            }
        } finally {
            assign();
        }
    }

    private static long stampOf(long nowNanos) {
        return nowNanos << TIME_SHIFT | WAITED;
    }

    /** How long a call took that has waited. A failure may have been cut off. */
    private void learn(long took, long now, Verdict verdict) {
        if (verdict == Verdict.IGNORED || verdict == Verdict.NOT_SENT) {
            return;
        }
        if (verdict.isFailure()) {
            callTime.tookAtLeast(took, now);
        } else {
            callTime.took(took, now);
        }
    }

    /** Hands free permits to the queue, without a deep stack. */
    private void assign() {
        if (permits.isFreeBesideWaiters()) {
            Trampoline.run(assigning);
        }
    }

    private void assignAll() {
        boolean more = true;
        while (more) {
            long now = environment.clock().nanoTime(); // before the lock: the clock may be a user's
            long typical = callTime.typicalNanos(now);
            ShedWaiter ended;
            lock.lock();
            try {
                more = assignOne(now, typical);
                ended = queue.takeEnded();
            } finally {
                lock.unlock();
            }
            finish(ended);
        }
    }

    /** Hands a free permit to the queue. Returns false if none was free, or no call waits. */
    private boolean assignOne(long now, long typical) {
        if (queue.size() == 0 || !permits.takeForWaiter()) {
            return false;
        }
        boolean given = false;
        try {
            ShedWaiter next = queue.next(now, typical);
            if (next != null) {
                next.decide(stampOfWaiter(now), null);
                given = true;
                queue.ended(next);
            }
        } finally {
            if (!given) {
                permits.giveBack();
            }
            unmarkIfEmpty();
        }
        return given;
    }

    private void unmarkIfEmpty() {
        if (queue.size() == 0) {
            permits.unmark();
        }
    }

    /** Tells waiters what was decided, each of them whatever the others do. */
    private static void finish(@Nullable ShedWaiter first) {
        ShedWaiter next = first;
        while (next != null) {
            ShedWaiter waiter = next;
            next = waiter.nextEnded;
            waiter.nextEnded = null;
            try {
                waiter.finish();
            } catch (Throwable thrown) { // no stack or memory; the rest is told all the same
                finish(next);
                throw thrown;
            }
        }
    }

    /**
     * Takes a permit for a call, puts it into the queue, or refuses it.
     *
     * @return whether it was put into the queue; else it has been decided
     */
    private boolean enterOrQueue(ShedWaiter waiter, long now) {
        long typical = callTime.typicalNanos(now);
        if (waiter.leftNanos(now) <= 0 || queue.isWithoutTime(waiter.leftNanos(now), typical)) {
            long stamp = tryEnter(0);
            waiter.decide(stamp, stamp == REFUSED ? ShedReason.LATE : null);
            if (stamp == REFUSED) {
                queue.count(ShedReason.LATE);
            }
            return false;
        }
        ShedWaiter ended;
        lock.lock();
        try {
            if (!queueUp(waiter, now)) {
                return false;
            }
            ended = queue.takeEnded();
        } finally {
            lock.unlock();
        }
        try {
            finish(ended);
            assign(); // only if a thread that should have done it was kept from it
        } catch (RuntimeException | Error thrown) {
            abandon(waiter);
            throw thrown;
        }
        return true;
    }

    private boolean queueUp(ShedWaiter waiter, long now) {
        if (permits.takeOrMark()) {
            waiter.decide(adaptive == null ? NOT_WAITED : adaptive.begin(now), null);
            return false;
        }
        if (adaptive != null) {
            adaptive.noteLimited();
        }
        if (queue.size() >= config.maxWaiting()) {
            ShedWaiter least = queue.displaceable(waiter.level);
            if (least == null) {
                waiter.decide(REFUSED, ShedReason.FULL);
                queue.count(ShedReason.FULL);
                return false;
            }
            queue.refuse(least, ShedReason.DISPLACED);
        }
        queue.add(waiter, now);
        return true;
    }

    /** Takes a waiter out that waits no longer. Returns false if it was decided what becomes of it. */
    boolean giveUp(ShedWaiter waiter, @Nullable ShedReason reason) {
        lock.lock();
        try {
            if (waiter.isDecided()) {
                return false;
            }
            queue.remove(waiter);
            waiter.decide(REFUSED, reason);
            if (reason != null) {
                queue.count(reason);
            }
            unmarkIfEmpty();
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        CallState call = CallState.current();
        call.takeRefusal(); // of an earlier wait, if nothing has asked for it
        long left = deadline.remainingNanos();
        long now = environment.clock().nanoTime();
        int level = Priority.criticality(call.priority());
        ShedWaiter waiter = new ShedWaiter(this, level, Thread.currentThread(), now, left);
        if (enterOrQueue(waiter, now)) {
            try {
                await(waiter, now);
            } catch (RuntimeException | Error thrown) {
                abandon(waiter);
                throw thrown;
            }
        }
        ShedReason reason = waiter.reason();
        if (reason != null) {
            call.refusedFor(refusal(reason));
        }
        return waiter.stamp();
    }

    private void await(ShedWaiter waiter, long since) throws InterruptedException {
        long left = waiter.waitLeftNanos(since);
        while (!waiter.isDecided() && left > 0) {
            environment.scheduler().park(this, left);
            if (Thread.interrupted()) {
                if (giveUp(waiter, null)) {
                    throw new InterruptedException();
                }
                Thread.currentThread().interrupt(); // the decision came first; the interrupt is for the operation
                return;
            }
            left = waiter.waitLeftNanos(environment.clock().nanoTime());
        }
        giveUp(waiter, waiter.reasonOfTime());
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        long now = environment.clock().nanoTime();
        int level = Priority.criticality(CallState.current().priority());
        ShedWaiter waiter = new ShedWaiter(this, level, null, now, deadline.remainingNanos());
        if (!enterOrQueue(waiter, now)) {
            return waiter.finish();
        }
        if (waiter.isDecided()) {
            return waiter; // completed, or about to be
        }
        try {
            Scheduler.Timer timer = environment.scheduler().schedule(() -> timeIsUp(waiter), waiter.waitLeftNanos(now));
            waiter.whenComplete((ignored, error) -> timer.cancel());
        } catch (RuntimeException | Error thrown) {
            abandon(waiter);
            throw thrown;
        }
        return waiter;
    }

    /** Refuses a waiter whose time is up, off the thread of all timers. */
    private void timeIsUp(ShedWaiter waiter) {
        if (!waiter.isDone()) {
            environment.handOver(() -> {
                giveUp(waiter, waiter.reasonOfTime());
                waiter.finish();
            });
        }
    }

    /** Gives back the permit of a waiter whose call ends, because the scheduler threw. */
    private void abandon(ShedWaiter waiter) {
        if (!giveUp(waiter, null) && waiter.stamp() != REFUSED) {
            exit(waiter.stamp(), 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        }
    }

    @Override
    public void setMaxConcurrent(int limit) {
        if (adaptive != null) {
            reconfigure(adaptive.config().toBuilder()
                    .minLimit(limit)
                    .maxLimit(limit)
                    .initialLimit(limit)
                    .build());
            return;
        }
        permits.setLimit(Require.range("maxConcurrent", limit, 1, Integer.MAX_VALUE));
        assign();
    }

    @Override
    public void reconfigure(AdaptiveBulkheadConfig settings) {
        Require.nonNull("config", settings);
        if (adaptive == null) {
            throw new IllegalStateException(
                    "bulkhead \"" + name + "\" does not find its limit by itself, see setMaxConcurrent");
        }
        adaptive.reconfigure(SheddingBulkheadConfig.withoutPartitions(settings), () -> {});
        assign();
    }

    @Override
    public int maxConcurrent() {
        return permits.limit();
    }

    @Override
    public int inFlight() {
        return permits.inFlight();
    }

    @Override
    public int waiting() {
        return queue.size();
    }

    @Override
    public long refused(ShedReason reason) {
        return queue.refused(Require.nonNull("reason", reason));
    }

    /** About how long it takes to work the queue off, and to end a call; the interval while nothing is known. */
    private long retryAfterNanos() {
        long typical = callTime.typicalNanos(environment.clock().nanoTime());
        return typical == CallTime.UNKNOWN
                ? config.intervalNanos()
                : Nanos.multiply(typical, 1 + waiting() / (double) maxConcurrent());
    }

    @Override
    public OutcomeRule outcomes() {
        return adaptive == null ? OutcomeRule.standard() : adaptive.outcomes();
    }

    private ShedException refusal(ShedReason reason) {
        return refusals[reason.ordinal()];
    }

    @Override
    public RefusedException refusal() {
        return refusal(ShedReason.FULL);
    }

    @Override
    public RefusedException refusal(Deadline deadline) {
        if (CallState.current().takeRefusal() instanceof ShedException why && refusal(why.reason()) == why) {
            return why;
        }
        return deadline.isExpired() ? refusal(ShedReason.LATE) : refusal();
    }

    @Override
    public RefusedException refusal(CompletableFuture<Long> turn, Deadline deadline) {
        ShedReason reason = turn instanceof ShedWaiter waiter ? waiter.reason() : null;
        return reason == null ? refusal(deadline) : refusal(reason);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, PolicyMetrics.BULKHEAD_IN_FLIGHT, inFlight());
        sink.value(name, PolicyMetrics.BULKHEAD_WAITING, waiting());
        sink.value(name, PolicyMetrics.BULKHEAD_LIMIT, maxConcurrent());
        if (adaptive != null) {
            adaptive.measure(name, sink);
        }
        for (ShedReason reason : ShedReason.values()) {
            if (reason.compareTo(ShedReason.WAITED) <= 0) {
                sink.value(
                        name, OverloadMetrics.BULKHEAD_REFUSED, OverloadMetrics.tag(reason), (double) refused(reason));
            }
        }
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" [" + inFlight() + " of " + maxConcurrent() + " in flight, " + waiting()
                + " of " + config.maxWaiting() + " waiting]";
    }
}
