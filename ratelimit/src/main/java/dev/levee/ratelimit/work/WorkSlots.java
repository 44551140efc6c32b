package dev.levee.ratelimit.work;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The slots of a queue. A thread finds a free one by its number, mostly the one that it had before, and makes more if
 * there is none: so there are at most about twice as many as items were ever handled at once. Thread-safe.
 */
final class WorkSlots {
    private static final int FIRST = 8;

    private final ReentrantLock growing = new ReentrantLock();
    private volatile WorkSlot[] slots = grown(new WorkSlot[0], FIRST);

    WorkSlot claim() {
        while (true) {
            WorkSlot[] all = slots;
            int first = (int) Thread.currentThread().getId();
            for (int i = 0; i < all.length; i++) {
                WorkSlot slot = all[(first + i) & (all.length - 1)];
                if (slot.tryClaim()) {
                    return slot;
                }
            }
            grow(all);
        }
    }

    private void grow(WorkSlot[] seen) {
        growing.lock();
        try {
            if (slots == seen) {
                slots = grown(seen, seen.length * 2);
            }
        } finally {
            growing.unlock();
        }
    }

    private static WorkSlot[] grown(WorkSlot[] old, int length) {
        WorkSlot[] all = new WorkSlot[length];
        System.arraycopy(old, 0, all, 0, old.length);
        for (int i = old.length; i < length; i++) {
            all[i] = new WorkSlot();
        }
        return all;
    }

    /** Returns what is being handled, each with its slot, as far as can be seen now. */
    List<Running> running() {
        List<Running> running = new ArrayList<>();
        for (WorkSlot slot : slots) {
            Object item = slot.item();
            if (item != null) {
                running.add(new Running(slot, item, slot.position()));
            }
        }
        return running;
    }

    /** An item that is being handled. */
    record Running(WorkSlot slot, Object item, long position) {
        /** Interrupts its thread, or cancels its stage. */
        void interrupt() {
            PendingWork<?> stage = slot.pending();
            if (stage != null) {
                stage.cancel();
            } else {
                slot.interrupt(item);
            }
        }

        /** Returns its entry, if it has one. */
        @Nullable WorkEntry<?> entry() {
            return item instanceof WorkEntry<?> entry ? entry : null;
        }
    }
}
