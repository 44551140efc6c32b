package dev.levee.loadbalancing;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Bounds how many checks run at the same time. Checks that find no permit wait in a queue.
 *
 * <p>No check is forgotten: one is queued before permits are looked for, and a permit is given back before the queue is
 * read, so one of the two sees the other.
 */
final class CheckPermits {
    private final AtomicInteger free;
    private final Queue<BooleanSupplier> queue = new ConcurrentLinkedQueue<>();

    CheckPermits(int permits) {
        free = new AtomicInteger(permits);
    }

    /**
     * Starts the task once there is a permit, now or later on the thread that releases one. A task that returns true
     * holds its permit until {@link #release}; one that returns false needs none.
     */
    void acquire(BooleanSupplier task) {
        queue.add(task);
        startQueued();
    }

    void release() {
        free.incrementAndGet();
        startQueued();
    }

    private void startQueued() {
        while (!queue.isEmpty() && take()) {
            boolean held = false;
            try {
                BooleanSupplier next = queue.poll();
                held = next != null && next.getAsBoolean();
            } finally {
                if (!held) {
                    free.incrementAndGet(); // and try again: a task may have been queued that saw no permit
                }
            }
        }
    }

    private boolean take() {
        int permits = free.get();
        while (permits > 0) {
            if (free.compareAndSet(permits, permits - 1)) {
                return true;
            }
            permits = free.get();
        }
        return false;
    }
}
