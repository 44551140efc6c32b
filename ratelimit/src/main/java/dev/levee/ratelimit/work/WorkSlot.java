package dev.levee.ratelimit.work;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where an item is while it is handled, so that a close finds it and can interrupt its thread.
 *
 * <p><b>Interrupts.</b> The closing thread first says that it interrupts ({@code BoundedWorkQueue.interrupting}), then
 * marks the slot, then looks again whether the item is still there. The thread of the slot first takes the item out,
 * then counts it as ended (a full fence), then looks whether anything interrupts. So either the closing thread sees
 * that the item has gone, or the other one sees the mark, and takes back an interrupt that was not meant for what it
 * does next. See ADR 97.
 */
final class WorkSlot {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final VarHandle CLAIMED = Handles.field(LOOKUP, "claimed", int.class);
    private static final VarHandle ITEM = Handles.field(LOOKUP, "item", Object.class);
    private static final VarHandle THREAD = Handles.field(LOOKUP, "thread", Thread.class);
    private static final VarHandle MARK = Handles.field(LOOKUP, "mark", int.class);
    private static final int NONE = 0;
    private static final int DELIVERING = 1;
    private static final int DELIVERED = 2;

    long l1, l2, l3, l4, l5, l6, l7, l8;

    /** 1 while a thread or a stage has it; written through {@link #CLAIMED}. */
    @SuppressWarnings("unused") // by its name
    private volatile int claimed;

    /** The item, or its entry; written through {@link #ITEM}. */
    private volatile @Nullable Object item;

    /** Written before the item. */
    private long position;

    private long acceptedNanos;

    /** Written through {@link #THREAD}. */
    private volatile @Nullable Thread thread;

    /** The stage that the handler has returned; then no thread is to be interrupted. */
    private volatile @Nullable PendingWork<?> pending;

    private volatile int mark;

    long r1, r2, r3, r4, r5, r6, r7, r8;

    boolean tryClaim() {
        if (claimed == 0 && CLAIMED.compareAndSet(this, 0, 1)) {
            THREAD.setRelease(this, Thread.currentThread()); // before the item, and so without a fence of its own
            return true;
        }
        return false;
    }

    void release() {
        if (pending != null) {
            pending = null;
        }
        THREAD.setRelease(this, null);
        CLAIMED.setRelease(this, 0); // release: the next thread to claim it sees it empty
    }

    void hold(@Nullable Object taken, long position, long acceptedNanos) {
        this.position = position;
        this.acceptedNanos = acceptedNanos;
        ITEM.setRelease(this, taken); // release: with the position
    }

    @Nullable Object item() {
        return item;
    }

    /** Returns the item of a slot that has one. */
    Object taken() {
        return Objects.requireNonNull(item, "item");
    }

    long position() {
        return position;
    }

    long acceptedNanos() {
        return acceptedNanos;
    }

    /** Takes the item out; right after it, without waiting for anything, it is counted where it is now. */
    void clear() {
        ITEM.setRelease(this, null);
    }

    /** The handler's thread leaves, and the item goes on with a stage. */
    void detach(@Nullable PendingWork<?> stage) {
        pending = stage;
    }

    @Nullable PendingWork<?> pending() {
        return pending;
    }

    /** Interrupts the thread if it still handles this item. Runs foreign code: that of a channel, for example. */
    void interrupt(Object expected) {
        if (!MARK.compareAndSet(this, NONE, DELIVERING)) {
            return;
        }
        boolean delivered = false;
        try {
            Thread own = thread;
            if (item == expected && pending == null && own != null && !own.isInterrupted()) {
                delivered = true;
                own.interrupt();
            }
        } finally {
            mark = delivered ? DELIVERED : NONE;
        }
    }

    /** Takes an interrupt back that was delivered for an item which this thread does not handle any more. */
    void takeBackInterrupt() {
        while (mark == DELIVERING) {
            Thread.onSpinWait();
        }
        if (mark == DELIVERED) {
            mark = NONE;
            Thread.interrupted();
        }
    }
}
