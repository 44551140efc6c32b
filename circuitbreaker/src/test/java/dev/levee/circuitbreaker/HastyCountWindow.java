package dev.levee.circuitbreaker;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A mutant of {@link CountWindow}: the thread that has recorded an outcome puts it into the ring by itself, afterwards,
 * instead of leaving that to the next thread that records. Between the two, the ring is out of step with the counts.
 */
final class HastyCountWindow {
    private final int size;
    /** Position and lap, failures. */
    private final AtomicLong word = new AtomicLong();

    private final AtomicLongArray ring;

    HastyCountWindow(int size) {
        this.size = size;
        this.ring = new AtomicLongArray(size);
    }

    void record(int outcome) {
        while (true) {
            long seen = word.get();
            long recorded = seen >>> 32;
            int position = (int) (recorded % size);
            long failures = (seen & 0xFFFF_FFFFL) + outcome - ring.get(position);
            if (word.compareAndSet(seen, ((recorded + 1) << 32) | failures)) {
                ring.set(position, outcome);
                return;
            }
        }
    }

    String counts() {
        long seen = word.get();
        return Math.min(size, seen >>> 32) + " calls, " + (seen & 0xFFFF_FFFFL) + " failed";
    }
}
