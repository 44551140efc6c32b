package dev.levee.cache.writebehind;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many writes and bytes may be accepted and not ended, and the callers that wait for room, first come first served.
 * Takes no lock. Room that cannot be refused (of what a journal gives back at the start) may exceed the bounds.
 */
final class WriteRoom {
    private final int maxPlaces;
    private final long maxBytes;
    private final AtomicInteger places = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final ConcurrentLinkedQueue<WaitingCaller> line = new ConcurrentLinkedQueue<>();

    WriteRoom(int maxPlaces, long maxBytes) {
        this.maxPlaces = maxPlaces;
        this.maxBytes = maxBytes;
    }

    boolean canEverHold(long weight) {
        return weight <= maxBytes;
    }

    /** What is missing for a write. */
    static final class Missing {
        private int places;
        private long bytes;

        boolean isSomething() {
            return places > 0 || bytes > 0;
        }

        /** Counts room that could be given back. */
        void less(int fewer, long weight) {
            places -= fewer;
            bytes -= weight;
        }
    }

    Missing missing(long weight) {
        Missing missing = new Missing();
        missing.places = 1 - (maxPlaces - places.get());
        missing.bytes = weight - (maxBytes - bytes.get());
        return missing;
    }

    /** Takes room, unless there is too little, or other callers wait for it. */
    boolean tryTake(int more, long weight) {
        WaitingCaller first = line.peek();
        if (first != null && first.thread != Thread.currentThread() && (more > 0 || weight > 0)) {
            return false;
        }
        if (more > 0 && !addPlaces(more)) {
            return false;
        }
        if (weight == 0 || addBytes(weight)) {
            return true;
        }
        if (more > 0) {
            places.addAndGet(-more);
        }
        WaitingCaller waiting = line.peek(); // one that came meanwhile, and found no place
        if (waiting != null && waiting.thread != Thread.currentThread()) {
            waiting.wake();
        }
        return false;
    }

    private boolean addPlaces(int more) {
        int was;
        do {
            was = places.get();
            if (was > maxPlaces - more) {
                return false;
            }
        } while (!places.compareAndSet(was, was + more));
        return true;
    }

    private boolean addBytes(long weight) {
        long was;
        do {
            was = bytes.get();
            if (weight > 0 && was > maxBytes - weight) {
                return false;
            }
        } while (!bytes.compareAndSet(was, was + weight));
        return true;
    }

    /** Takes a place, and as much of the weight as can be counted, which is returned. */
    long takeAnyway(long weight) {
        places.incrementAndGet();
        long taken;
        long was;
        do {
            was = bytes.get();
            taken = Math.min(weight, Long.MAX_VALUE - was);
        } while (!bytes.compareAndSet(was, was + taken));
        return taken;
    }

    void give(int fewer, long weight) {
        if (weight != 0) {
            bytes.addAndGet(-weight);
        }
        if (fewer != 0) {
            places.addAndGet(-fewer);
        }
        if (fewer != 0 || weight != 0) {
            wakeFirst();
        }
    }

    void join(WaitingCaller caller) {
        line.add(caller);
    }

    void leave(WaitingCaller caller) {
        line.remove(caller);
        wakeFirst();
    }

    private void wakeFirst() {
        WaitingCaller first = line.peek();
        if (first != null) {
            first.wake();
        }
    }

    void wakeAll() {
        line.forEach(WaitingCaller::wake);
    }

    long bytes() {
        return bytes.get();
    }
}
