package dev.levee.cache.writebehind;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;

/** Threads that wait until something has ended: in a flush, in a close, or for their turn to write themselves. */
final class WriteWaiters {
    private final Environment environment;
    private final ConcurrentLinkedQueue<WaitingCaller> threads = new ConcurrentLinkedQueue<>();

    WriteWaiters(Environment environment) {
        this.environment = environment;
    }

    /** Lets all of them look again. */
    void signal() {
        if (!threads.isEmpty()) {
            threads.forEach(WaitingCaller::wake);
        }
    }

    /**
     * Waits until a condition holds, the time is up, or the thread is interrupted; returns whether the condition held.
     * Leaves the interrupt flag as it is.
     */
    boolean await(BooleanSupplier condition, long until, boolean ever) {
        WaitingCaller caller = new WaitingCaller();
        threads.add(caller);
        try {
            caller.look();
            while (!condition.getAsBoolean()) {
                long left = ever ? until - environment.clock().nanoTime() : Nanos.NEVER;
                if (left <= 0 || caller.thread.isInterrupted()) {
                    return false;
                }
                caller.park(environment.scheduler(), this, left);
                caller.look();
            }
            return true;
        } finally {
            threads.remove(caller);
        }
    }
}
