package dev.levee.cache.writebehind;

import dev.levee.core.Scheduler;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that waits, and whether it has been woken since it looked last. An unpark alone is not enough: a lock that
 * the thread has to wait for while it looks may use it up.
 */
final class WaitingCaller {
    final Thread thread = Thread.currentThread();
    private volatile boolean woken;

    /** To be called before the thread looks whether it has to wait. */
    void look() {
        woken = false;
    }

    void wake() {
        woken = true;
        LockSupport.unpark(thread);
    }

    /** Waits, unless it was woken since it looked. May return early. */
    void park(Scheduler scheduler, Object blocker, long nanos) {
        if (!woken) {
            scheduler.park(blocker, nanos);
        }
    }
}
