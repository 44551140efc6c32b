package dev.levee.ratelimit;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A call in the {@link WaitQueue} of a limiter. Its links and its state are written under the lock of the queue; what
 * follows from the end of its wait comes after that, in {@link #tell}.
 */
class Waiter {
    static final int NEW = 0;
    static final int WAITING = 1;

    /** Its permits were taken for it. */
    static final int ADMITTED = 2;

    /** It cannot be served in time any more: the limit was lowered, permits were used that were not counted before. */
    static final int REFUSED = 3;

    /** It gave up, and holds nothing. */
    static final int LEFT = 4;

    final Need need;

    /** The thread that is parked, or null if none is. */
    private volatile @Nullable Thread thread;

    volatile int state = NEW;

    /** When it came; then its permits must come by {@link #untilNanos}, and its call must begin by the end. */
    long untilNanos;

    /** When its call must have begun, however late timers are. */
    long endNanos;

    /** When its turn is; under the lock. */
    private long turnNanos;

    /** When its turn is by the plan, by which those behind it are planned; under the lock. */
    private long plannedNanos;

    /**
     * Until when a thread that waits is parked: never later than its turn if it is the head. A plan moves it later
     * only; to move it up the thread must be woken, which is done when it becomes the head.
     */
    private volatile long parkedNanos;

    /** The reading of the clock with which its permits were taken. */
    long takenNanos;

    /** Why it was refused, or how long it would have to wait now. */
    long retryAfterNanos;

    @Nullable Waiter before;

    @Nullable Waiter after;

    Waiter(Need need, @Nullable Thread thread) {
        this.need = need;
        this.thread = thread;
    }

    boolean isWaiting() {
        return state == WAITING;
    }

    boolean hasThread() {
        return thread != null;
    }

    void thread(@Nullable Thread parked) {
        thread = parked;
    }

    long turnNanos() {
        return turnNanos;
    }

    long plannedNanos() {
        return plannedNanos;
    }

    long parkedNanos() {
        return parkedNanos;
    }

    /** Sets its turn by a plan; under the lock. */
    void planned(long atNanos) {
        turnNanos = atNanos;
        plannedNanos = atNanos;
        if (state != WAITING || atNanos - parkedNanos > 0) {
            parkedNanos = atNanos;
        }
    }

    /** Sets its turn, and has its thread parked until then; under the lock. */
    void due(long atNanos) {
        turnNanos = atNanos;
        if (parkedNanos != atNanos) {
            parkedNanos = atNanos;
            wake();
        }
    }

    void wake() {
        Thread parked = thread;
        if (parked != null) {
            LockSupport.unpark(parked);
        }
    }

    /** Tells that the wait has ended. Outside of the lock, on any thread: runs no code of users. */
    void tell() {
        wake();
    }
}
