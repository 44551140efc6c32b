package dev.levee.core.policy;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A planted mutation of {@link StripedPermits}: it reads each cell once and refuses, although a permit may have moved
 * from a cell that was not read yet to one that was. Kept to show that {@link StripedPermitsInterleavingTest} can fail.
 */
final class HastyPermits {
    private final AtomicIntegerArray cells;

    HastyPermits(int permits, int count) {
        cells = new AtomicIntegerArray(count);
        for (int permit = 0; permit < permits; permit++) {
            cells.incrementAndGet(permit % count);
        }
    }

    boolean tryTake(int home) {
        for (int i = 0; i < cells.length(); i++) {
            int place = (home + i) % cells.length();
            int seen = cells.get(place);
            while (seen > 0) {
                if (cells.compareAndSet(place, seen, seen - 1)) {
                    return true;
                }
                seen = cells.get(place);
            }
        }
        return false;
    }

    void giveBack(int place) {
        cells.incrementAndGet(place);
    }
}
