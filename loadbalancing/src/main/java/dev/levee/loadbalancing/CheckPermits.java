package dev.levee.loadbalancing;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** So many places for checks that run at the same time; who finds none waits in line. */
final class CheckPermits {
    private final AtomicInteger free;
    private final Queue<BooleanSupplier> line = new ConcurrentLinkedQueue<>();

    CheckPermits(int places) {
        free = new AtomicInteger(places);
    }

    /**
     * Runs the task, now or later on the thread of somebody who leaves; if it gives true it has a place until {@link #leave}, else it
     * needs none.
     */
    void enter(BooleanSupplier task) {
        line.add(task);
        serve();
    }

    void leave() {
        free.incrementAndGet();
        serve();
    }

    private void serve() {
        while (!line.isEmpty() && take()) {
            BooleanSupplier next = line.poll();
            if (next == null || !next.getAsBoolean()) {
                free.incrementAndGet(); // and look again: somebody may have come who saw no place
            }
        }
    }

    private boolean take() {
        int places = free.get();
        while (places > 0) {
            if (free.compareAndSet(places, places - 1)) {
                return true;
            }
            places = free.get();
        }
        return false;
    }
}
