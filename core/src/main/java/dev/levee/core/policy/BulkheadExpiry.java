package dev.levee.core.policy;

import dev.levee.core.Environment;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Refuses the waiters of a bulkhead whose time is up, off the thread of all timers. That thread only adds each to a
 * list and hands one task over for all that are in it when the task begins: thousands of deadlines that pass together
 * do not hold it up with as many tasks. See ADR 74.
 *
 * <p>Thread-safe. If the executor loses a task, the next waiter whose time is up hands over another one.
 */
final class BulkheadExpiry {
    private static final long MAX_DELAY = Duration.ofMillis(10).toNanos();

    private final Environment environment;
    private final ConcurrentLinkedQueue<BulkheadWaiter> expired = new ConcurrentLinkedQueue<>();
    private final Runnable refusing = this::refuseAll;

    /** Whether a task was handed over and has not begun. */
    private volatile boolean handedOver;

    private volatile long handedOverNanos;

    BulkheadExpiry(Environment environment) {
        this.environment = environment;
    }

    /** The time of a waiter is up, says its timer. */
    void timeIsUp(BulkheadWaiter waiter) {
        if (waiter.isDone()) {
            return;
        }
        expired.add(waiter);
        long now = environment.clock().nanoTime();
        if (!handedOver || now - handedOverNanos > MAX_DELAY) {
            handedOverNanos = now;
            handedOver = true;
            environment.handOver(refusing);
        }
    }

    private void refuseAll() {
        handedOver = false; // before the list is read: a waiter that is added after that has a task of its own
        try {
            BulkheadWaiter next;
            while ((next = expired.poll()) != null) {
                next.refuse();
            }
        } finally {
            if (!expired.isEmpty()) { // no memory or no stack for what follows from one; the others wait all the same
                environment.handOver(refusing);
            }
        }
    }
}
