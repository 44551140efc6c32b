package dev.levee.loadbalancing;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** So many places for checks that run at the same time; who finds none waits in line. */
final class CheckPlaces {
    private final AtomicInteger free;
    private final Queue<Runnable> line = new ConcurrentLinkedQueue<>();

    CheckPlaces(int places) {
        free = new AtomicInteger(places);
    }

    /** Runs the task, now or later on the thread of somebody who leaves; it has a place until {@link #leave}. */
    void enter(Runnable task) {
        line.add(task);
        serve();
    }

    void leave() {
        free.incrementAndGet();
        serve();
    }

    private void serve() {
        while (!line.isEmpty() && take()) {
            Runnable next = line.poll();
            if (next == null) {
                free.incrementAndGet(); // and look again: somebody may have come who saw no place
            } else {
                next.run();
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
