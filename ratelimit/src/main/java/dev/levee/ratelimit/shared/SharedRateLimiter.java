package dev.levee.ratelimit.shared;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import dev.levee.ratelimit.CarriedFill;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.LimiterMetrics;
import dev.levee.ratelimit.RateDecision;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.Reservation;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A limiter that several processes share: one {@link SharedQuota}. See ADR 142. */
final class SharedRateLimiter implements RateLimiter {
    private final SharedScope scope;
    private final SharedQuota quota;
    private final long maxWaitNanos;
    private final RateLimitedException refusal;

    SharedRateLimiter(SharedScope scope) {
        this.scope = scope;
        quota = new SharedQuota(scope, "");
        maxWaitNanos = Nanos.of(scope.config.maxWait());
        refusal = RateLimitedException.of(
                scope.name,
                "limiter \"" + scope.name + "\" has no permit: " + scope.config.limit() + ", shared",
                quota::nextNanos,
                true);
    }

    private static long requirePermits(long permits) {
        return Require.range("permits", permits, 1, Long.MAX_VALUE);
    }

    @Override
    public long tryAcquireOrWaitNanos() {
        return tryTake(1);
    }

    @Override
    public long tryAcquireOrWaitNanos(long permits) {
        return tryTake(requirePermits(permits));
    }

    private long tryTake(long permits) {
        long wait = SharedCalls.decide(quota, permits);
        counted(wait == 0);
        return wait;
    }

    private void counted(boolean wasAdmitted) {
        if (wasAdmitted) {
            scope.count(true);
        } else {
            scope.refused();
        }
    }

    @Override
    public long availablePermits() {
        return quota.available();
    }

    @Override
    public RateDecision decide(long permits) {
        return SharedCalls.decision(quota, permits, tryTake(requirePermits(permits)));
    }

    @Override
    public void acquire(long permits, Duration maxWait) throws InterruptedException {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        requirePermits(permits);
        QuotaAsk ask = SharedCalls.await(quota, permits, maxNanos, SharedCalls.callNanos());
        boolean isAdmitted = ask.state == QuotaAsk.ADMITTED;
        counted(isAdmitted);
        if (!isAdmitted) {
            throw scope.refusal(permits, ask.waitNanos, quota.failure());
        }
    }

    @Override
    public CompletableFuture<@Nullable Void> acquireAsync(long permits, Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        Acquired future = new Acquired(requirePermits(permits), maxNanos);
        future.begin();
        return future;
    }

    @Override
    public Reservation reserve(long permits, Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        SharedReservation reservation = new SharedReservation(quota, requirePermits(permits), maxNanos);
        reservation.begin();
        return reservation;
    }

    @Override
    public void settle(long permits) {
        StackRoom.require();
        quota.settle(Require.range("permits", permits, -Long.MAX_VALUE, Long.MAX_VALUE));
    }

    @Override
    public void reconfigure(Limit limit, CarriedFill carried) {
        Require.nonNull("limit", limit);
        if (Require.nonNull("carried", carried) != CarriedFill.SAME_USED) {
            throw new IllegalArgumentException(
                    "carried must be SAME_USED for a limit that several processes share, but was " + carried);
        }
        scope.reconfigure(limit);
        quota.wantMore();
    }

    @Override
    public long tryEnter(long nowNanos) {
        long now = scope.clock.nanoTime(); // not a stamp that may be late: a lease must not be used after its end
        QuotaLease from = quota.takeLeased(1, now);
        if (from != null) {
            scope.count(true);
            return stamp(from.sentNanos);
        }
        if (quota.takeLocally(1, now) == 0) {
            scope.count(true);
            return stamp(QuotaAsk.UNASKED);
        }
        return REFUSED;
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        boolean isAdmitted = false;
        try {
            QuotaAsk ask = SharedCalls.await(quota, 1, maxWaitNanos, deadline.remainingNanos());
            isAdmitted = ask.state == QuotaAsk.ADMITTED;
            return isAdmitted ? stamp(ask.takenNanos) : REFUSED;
        } finally {
            scope.count(isAdmitted);
        }
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        Entered future = new Entered(deadline.remainingNanos());
        future.begin();
        return future;
    }

    /** Returns when the permits of a call were asked for, but for its highest bit, and one that is set. */
    private static long stamp(long takenNanos) {
        return (takenNanos << 1) | 1;
    }

    private void giveBack(long stamp) {
        if (stamp == stamp(QuotaAsk.UNASKED)) {
            return;
        }
        long now = scope.clock.nanoTime();
        quota.giveBack(1, now - ((stamp(now) - stamp) >>> 1));
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        // Otherwise the permit was consumed at entry.
        if (verdict == Verdict.NOT_SENT) {
            giveBack(stamp);
        }
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        giveBack(stamp);
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        return refusal;
    }

    @Override
    public int waiting() {
        return quota.waiting();
    }

    @Override
    public Limit limit() {
        return scope.plan().limit;
    }

    @Override
    public String name() {
        return scope.name;
    }

    @Override
    public Environment environment() {
        return scope.environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink)
                .value(scope.name, LimiterMetrics.LIMITER_PERMITS_AVAILABLE, (double) availablePermits());
        sink.value(scope.name, LimiterMetrics.LIMITER_CALLS_WAITING, waiting());
        scope.measure(sink, (double) quota.held());
    }

    @Override
    public String toString() {
        SharedPlan plan = scope.plan();
        return "limiter \"" + scope.name + "\" [" + plan.limit + ", shared, " + plan.mode + "]";
    }

    /** The future of {@link #acquireAsync}. */
    private final class Acquired extends SharedCalls.Future<@Nullable Void> {
        Acquired(long permits, long maxNanos) {
            super(SharedRateLimiter.this.quota, permits, maxNanos, SharedCalls.callNanos());
        }

        @Override
        @SuppressWarnings("NullAway") // the value of a future of Void
        boolean admitted() {
            boolean first = completes(null);
            if (first) {
                counted(true);
            }
            return first;
        }

        @Override
        void refused() {
            if (fails(scope.refusal(ask.permits, ask.waitNanos, quota.failure()))) {
                counted(false);
            }
        }

        @Override
        void left() {
            counted(false);
        }
    }

    /** The future of {@link #enterAsync}. */
    private final class Entered extends SharedCalls.Future<Long> {
        Entered(long leftNanos) {
            super(SharedRateLimiter.this.quota, 1, maxWaitNanos, leftNanos);
        }

        @Override
        boolean admitted() {
            boolean first = completes(stamp(ask.takenNanos));
            if (first) {
                scope.count(true);
            }
            return first;
        }

        @Override
        void refused() {
            if (completes(Gate.REFUSED)) {
                scope.count(false);
            }
        }

        @Override
        void left() {
            scope.count(false);
        }
    }
}
