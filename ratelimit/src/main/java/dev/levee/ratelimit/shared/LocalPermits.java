package dev.levee.ratelimit.shared;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The permits of a lease in a bulkhead of this process, which has at least one. To have none, that one is taken by a
 * stamp of no call, the stopper: at once if it is free, else by the call that gives it back.
 *
 * <p>Limits are set by one thread at a time; calls enter and leave on any.
 */
final class LocalPermits {
    private final Bulkhead bulkhead;

    /** The stamp that no call has, or {@link Gate#REFUSED}. */
    private final AtomicLong stopper = new AtomicLong(Gate.REFUSED);

    private volatile boolean stopping;

    /** Takes over a bulkhead; there are no permits at first. */
    LocalPermits(Bulkhead bulkhead) {
        this.bulkhead = bulkhead;
        limit(0);
    }

    /**
     * Sets how many permits there are. If it is fewer, calls in flight keep theirs, and no call gets one until enough
     * of them have ended.
     *
     * @return how many calls are in flight or may be: at least as many as the limit
     */
    int limit(int permits) {
        if (permits > 0) {
            stopping = false;
            bulkhead.setMaxConcurrent(permits);
            long stamp = stopper.getAndSet(Gate.REFUSED);
            if (stamp != Gate.REFUSED) {
                leave(stamp);
            }
            return Math.max(permits, inFlight());
        }
        stopping = true;
        bulkhead.setMaxConcurrent(1);
        if (stopper.get() == Gate.REFUSED) {
            long stamp = bulkhead.tryEnter(0);
            if (stamp != Gate.REFUSED && !stopper.compareAndSet(Gate.REFUSED, stamp)) {
                leave(stamp);
            }
        }
        return stopper.get() == Gate.REFUSED ? Math.max(1, inFlight()) : inFlight();
    }

    private void leave(long stamp) {
        bulkhead.exit(stamp, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    long tryEnter() {
        return bulkhead.tryEnter(0);
    }

    void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        if (stopping && stopper.compareAndSet(Gate.REFUSED, stamp)) {
            if (stopping || !stopper.compareAndSet(stamp, Gate.REFUSED)) {
                return; // kept, or given back by the thread that has set the new limit
            }
        }
        bulkhead.exit(stamp, startNanos, endNanos, verdict, retryAfterNanos);
    }

    int inFlight() {
        int taken = bulkhead.inFlight();
        return stopper.get() == Gate.REFUSED ? taken : Math.max(0, taken - 1);
    }

    Bulkhead bulkhead() {
        return bulkhead;
    }
}
