package dev.levee.ratelimit;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.SafeLog;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The forms in which a call waits in one {@link WaitQueue}: on its thread, as a future, as a reservation. */
final class WaitingCalls {
    final WaitQueue queue;
    final Environment environment;
    private final NanoClock clock;

    /**
     * Makes a queue.
     *
     * @param blocker what parked threads are shown to wait for
     * @param planner makes a copy of what can be taken, as of a reading of the clock; runs under the lock
     */
    WaitingCalls(Object blocker, LongFunction<Forecast> planner, Environment environment, int maxWaiting) {
        this.environment = environment;
        this.clock = environment.clock();
        this.queue = new WaitQueue(blocker, planner, environment, maxWaiting);
    }

    /** Waits on this thread. */
    void acquire(Need need, long maxNanos) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(need, Thread.currentThread());
        enter(waiter, maxNanos, true);
        try {
            queue.await(waiter);
        } catch (RuntimeException | Error thrown) {
            giveUp(waiter);
            throw thrown;
        }
        need.counted(waiter.state == Waiter.ADMITTED);
        if (waiter.state == Waiter.REFUSED) {
            throw need.refusal(waiter.retryAfterNanos);
        }
    }

    /** Waits without a thread. */
    CompletableFuture<@Nullable Void> acquireAsync(Need need, long maxNanos) {
        WaitFuture.OfPermits future = new WaitFuture.OfPermits(this, need);
        try {
            if (enter(future.waiter, maxNanos, true)) {
                future.ended();
            }
        } catch (RateLimitedException refusal) {
            future.fail(refusal);
        }
        return future;
    }

    /** Takes a place for a ticket. */
    <R extends ReservationTicket> R reserve(R ticket, long maxNanos) {
        if (enter(ticket.waiter, maxNanos, false)) {
            ticket.waiter.need.counted(true);
        }
        return ticket;
    }

    /**
     * Admits a call or lets it wait, or throws its refusal.
     *
     * @param isOfCall whether the wait ends with the deadline of the call that the thread works for
     * @return whether it was admitted; otherwise it is told of the end of its wait, which may have come already
     */
    private boolean enter(Waiter waiter, long maxNanos, boolean isOfCall) {
        long wait = queue.occupied ? WaitQueue.QUEUED : take(waiter);
        if (wait != 0 && (wait == WaitQueue.QUEUED || (wait <= maxNanos && wait < RateLimiter.NEVER))) {
            Deadline deadline = isOfCall ? CallContext.current().deadline() : null;
            wait = queue.enter(waiter, maxNanos, deadline == null ? RateLimiter.NEVER : deadline.remainingNanos());
        }
        if (wait > 0) {
            waiter.need.counted(false);
            throw waiter.need.refusal(wait);
        }
        return wait == 0;
    }

    /** Takes the permits of a call that has not begun to wait. */
    private long take(Waiter waiter) {
        long now = clock.nanoTime();
        long wait = waiter.need.take(now);
        if (wait == 0) {
            waiter.takenNanos = now;
            waiter.state = Waiter.ADMITTED;
        } else if (waiter.need.hasTakenInPart()) {
            waiter.need.gaveBack();
        }
        return wait;
    }

    /** Ends the wait of a call, and gives back what it was given. */
    void giveUp(Waiter waiter) {
        if (!queue.leave(waiter) && waiter.state == Waiter.ADMITTED) {
            giveBack(waiter);
        }
    }

    /** Gives back the permits of a call that was admitted and will not use them. */
    void giveBack(Waiter waiter) {
        waiter.need.giveBack(clock.nanoTime(), waiter.takenNanos);
        gaveBack();
        waiter.need.gaveBack();
    }

    /** Serves those that wait, after something was given back. */
    void gaveBack() {
        if (queue.occupied) {
            queue.serveAfter(queue::movesUp);
        }
    }

    /**
     * The queues in which calls wait for permits of a limiter beside its own: those of combinations, as long as such
     * calls are there. See ADR 197.
     */
    static final class Watchers {
        private static final Logger LOG = LoggerFactory.getLogger(RateLimiter.class);

        /** How many calls wait in each. */
        private final ConcurrentHashMap<WaitQueue, Integer> queues = new ConcurrentHashMap<>();

        /** A call begins to wait in a queue, or does not wait there any more: as {@link Need#watch}. */
        void watch(WaitQueue queue, boolean begins) {
            if (begins) {
                queues.merge(queue, 1, Integer::sum);
            } else {
                queues.computeIfPresent(queue, (key, count) -> count == 1 ? null : count - 1);
            }
        }

        /** Serves those that wait, after something was given back. Not under a lock. */
        void gaveBack() {
            tell(WaitQueue::movesUp);
        }

        /** Plans the turns of those that wait anew, which may be later now. Not under a lock. */
        void planAnew() {
            tell(WaitQueue::planAnew);
        }

        private void tell(Consumer<WaitQueue> change) {
            if (queues.isEmpty()) {
                return;
            }
            for (WaitQueue queue : queues.keySet()) {
                try {
                    queue.serveAfter(() -> change.accept(queue));
                } catch (Throwable thrown) { // of the scheduler of that combination, which is not the caller's
                    SafeLog.warn(LOG, "calls that wait for several limiters could not be told of a change", thrown);
                }
            }
        }
    }
}
