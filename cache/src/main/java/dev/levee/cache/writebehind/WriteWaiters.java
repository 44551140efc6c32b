package dev.levee.cache.writebehind;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Threads that wait until something has ended: in a flush, in a close, or for their turn to write themselves. */
final class WriteWaiters {
    private final Environment environment;
    private final ConcurrentLinkedQueue<Thread> threads = new ConcurrentLinkedQueue<>();

    WriteWaiters(Environment environment) {
        this.environment = environment;
    }

    /** Lets all of them look again. */
    void signal() {
        if (!threads.isEmpty()) {
            threads.forEach(LockSupport::unpark);
        }
    }

    /**
     * Waits until a condition holds, the time is up, or the thread is interrupted; returns whether the condition held.
     * Leaves the interrupt flag as it is.
     */
    boolean await(BooleanSupplier condition, long until, boolean ever) {
        Thread thread = Thread.currentThread();
        threads.add(thread);
        try {
            while (!condition.getAsBoolean()) {
                long left = ever ? until - environment.clock().nanoTime() : Nanos.NEVER;
                if (left <= 0 || thread.isInterrupted()) {
                    return false;
                }
                environment.scheduler().park(this, left);
            }
            return true;
        } finally {
            threads.remove(thread);
        }
    }
}
