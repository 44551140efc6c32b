package dev.levee.ratelimit.shared;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A call that waits for an answer of the store, or for its turn. Written under the lock of its {@link SharedQuota}. */
class QuotaAsk {
    static final int NEW = 0;
    static final int WAITING = 1;
    static final int ADMITTED = 2;
    static final int REFUSED = 3;

    /** It gave up, and holds nothing. */
    static final int LEFT = 4;

    /** Stands for the time at which permits were asked for that were admitted by the outage policy. */
    static final long UNASKED = Long.MIN_VALUE;

    final long permits;

    /** Whether it waits for its turn, and not for one answer only. */
    final boolean stays;

    /** When it gives up, as a reading of the clock. */
    final long untilNanos;

    private final @Nullable Thread thread;

    volatile int state = NEW;

    /** Whether the request that is on its way asks for its permits. */
    boolean isAsked;

    /** If it was refused, for how long it would have to wait; from 1. */
    volatile long waitNanos = 1;

    /** If it was admitted, when its permits were asked for. */
    volatile long takenNanos;

    /** When its turn is, as far as is known. */
    volatile long turnNanos;

    QuotaAsk(long permits, boolean stays, long untilNanos, @Nullable Thread thread) {
        this.permits = permits;
        this.stays = stays;
        this.untilNanos = untilNanos;
        this.thread = thread;
    }

    final boolean isWaiting() {
        return state == WAITING;
    }

    /** Tells that the wait has ended. Not under the lock, on any thread: runs no code of users. */
    void tell() {
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}
