package dev.levee.ratelimit.shared;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.StackRoom;
import dev.levee.ratelimit.RateDecision;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The forms in which a call asks a {@link SharedQuota}: without waiting for its turn, on a thread, as a future. */
final class SharedCalls {
    /** An answer comes within the time-out, or an outage begins: what is beyond that is a guard. */
    private static final int TIMEOUTS = 4;

    private SharedCalls() {}

    /** Decides now, or waits for an answer of the store. Returns 0 or a wait. */
    static long decide(SharedQuota quota, long permits) {
        StackRoom.require();
        long now = quota.scope.clock.nanoTime();
        long wait = quota.takeLocally(permits, now);
        return wait == SharedQuota.ASK ? askOnce(quota, permits, now) : wait;
    }

    /** Says what was decided about a call, with what is left. */
    static RateDecision decision(SharedQuota quota, long permits, long waitNanos) {
        SharedScope scope = quota.scope;
        long remaining = quota.available();
        if (waitNanos != 0) {
            boolean isTaken = quota.waiting() > 0 || quota.outage.isOn(); // by those that wait, or it is not known
            remaining = isTaken ? 0 : Math.min(remaining, permits - 1);
        }
        return new RateDecision(
                waitNanos == 0, scope.name, scope.plan().limit, remaining, waitNanos, quota.resetNanos());
    }

    private static long askOnce(SharedQuota quota, long permits, long now) {
        Deadline deadline = CallContext.current().deadline();
        long bound = quota.scope.link.timeoutNanos * TIMEOUTS;
        long left = deadline == null ? bound : Math.min(bound, deadline.remainingNanos());
        QuotaAsk ask = new QuotaAsk(permits, false, now + left, Thread.currentThread());
        boolean wasInterrupted = false;
        try {
            quota.ask(ask);
            while (!park(quota, ask)) { // bounded by the time-out: the interrupt is left to what follows
                wasInterrupted |= Thread.interrupted();
            }
        } catch (Throwable thrown) { // by a part of the environment; no stack, or no memory
            abandon(quota, ask);
            throw thrown;
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return ask.state == QuotaAsk.ADMITTED ? 0 : ask.waitNanos;
    }

    /**
     * Waits on this thread, for an answer or for a turn.
     *
     * @param leftNanos until when its call must have begun
     * @throws InterruptedException if it was interrupted before it was admitted; it holds nothing then
     */
    static QuotaAsk await(SharedQuota quota, long permits, long maxNanos, long leftNanos) throws InterruptedException {
        StackRoom.require();
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long now = quota.scope.clock.nanoTime();
        QuotaAsk ask =
                new QuotaAsk(permits, maxNanos > 0, until(quota, now, maxNanos, leftNanos), Thread.currentThread());
        try {
            quota.ask(ask);
            if (!park(quota, ask) && quota.leave(ask)) {
                Thread.interrupted();
                throw new InterruptedException();
            }
        } catch (RuntimeException | Error thrown) {
            abandon(quota, ask);
            throw thrown;
        }
        return ask;
    }

    /** A call has thrown while it waited: takes it out of the queue, or gives back what it was admitted for. */
    static void abandon(SharedQuota quota, QuotaAsk ask) {
        if (!quota.leave(ask) && ask.state == QuotaAsk.ADMITTED) {
            quota.giveBack(ask.permits, ask.takenNanos);
        }
    }

    /** Parks a thread until the wait of its call has ended. Returns false if it was interrupted before. */
    static boolean park(SharedQuota quota, QuotaAsk ask) {
        Scheduler scheduler = quota.scope.environment.scheduler();
        while (ask.isWaiting()) {
            long left = ask.untilNanos - quota.scope.clock.nanoTime();
            if (left <= 0) {
                quota.leave(ask);
                return true;
            }
            scheduler.park(quota.scope, left);
            if (ask.isWaiting() && Thread.currentThread().isInterrupted()) {
                return false;
            }
        }
        return true;
    }

    /** Returns when a call gives up: before its end at which it is too late to begin. */
    private static long until(SharedQuota quota, long now, long maxNanos, long leftNanos) {
        long longest = maxNanos > 0 ? maxNanos : quota.scope.link.timeoutNanos * TIMEOUTS;
        return now + Math.min(Math.min(longest, leftNanos - 1), Nanos.NEVER / 2);
    }

    /** Returns until when the call that this thread works for must have begun. */
    static long callNanos() {
        Deadline deadline = CallContext.current().deadline();
        return deadline == null ? Nanos.NEVER : deadline.remainingNanos();
    }

    /** A call that waits without a thread. Whatever completes it first decides. */
    abstract static class Future<T extends @Nullable Object> extends CompletableFuture<T> {
        final SharedQuota quota;
        final QuotaAsk ask;
        private volatile Scheduler.@Nullable Timer timer;

        Future(SharedQuota quota, long permits, long maxNanos, long leftNanos) {
            this.quota = quota;
            long now = quota.scope.clock.nanoTime();
            this.ask = new QuotaAsk(permits, maxNanos > 0, until(quota, now, maxNanos, leftNanos), null) {
                @Override
                void tell() {
                    quota.scope.environment.handOver(Future.this::ended);
                }
            };
        }

        /** Begins the wait, or ends it at once. */
        final void begin() {
            StackRoom.require();
            try {
                if (!quota.ask(ask)) {
                    ended();
                    return;
                }
                timer = quota.scope.environment.schedule(this::giveUp, ask.untilNanos - quota.scope.clock.nanoTime());
            } catch (Throwable thrown) { // no call waits without an end
                abandon(quota, ask);
                throw thrown;
            }
            if (!ask.isWaiting()) {
                cancelTimer();
            }
        }

        private void giveUp() {
            if (quota.leave(ask)) {
                ask.tell();
            }
        }

        private void cancelTimer() {
            Scheduler.Timer set = timer;
            if (set != null) {
                set.cancel();
            }
        }

        /** Completes it with the end of the wait; called once. */
        private void ended() {
            cancelTimer();
            if (ask.state != QuotaAsk.ADMITTED) {
                refused();
            } else if (!admitted()) {
                quota.giveBack(ask.permits, ask.takenNanos);
            }
        }

        /** Completes it; returns whether that was first. */
        abstract boolean admitted();

        abstract void refused();

        /** Called when the call has given up. */
        abstract void left();

        final boolean completes(T value) {
            return super.complete(value);
        }

        final boolean fails(Throwable error) {
            return super.completeExceptionally(error);
        }

        @Override
        public boolean complete(T value) {
            StackRoom.require();
            return leaveIf(super.complete(value));
        }

        @Override
        public boolean completeExceptionally(Throwable error) {
            StackRoom.require();
            return leaveIf(super.completeExceptionally(error));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            StackRoom.require();
            return leaveIf(super.cancel(mayInterruptIfRunning));
        }

        private boolean leaveIf(boolean first) {
            if (first && quota.leave(ask)) {
                cancelTimer();
                left();
            }
            return first;
        }
    }
}
