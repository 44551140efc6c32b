package dev.levee.core.policy;

import dev.levee.core.internal.CallState;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Interrupts a thread once, and only while its guarded code runs. */
final class InterruptOnce extends AtomicInteger implements Runnable {
    private static final long serialVersionUID = 1L;
    private static final int SET = 0;
    private static final int OFF = 1;
    private static final int RINGING = 2;
    private static final int RANG = 3;
    /** It would have rung, but the thread was interrupted already: by somebody else, or by an alarm further in. */
    private static final int RANG_SILENTLY = 4;

    private final transient Thread thread;
    /** Of the call around this one on the same thread. */
    private final transient @Nullable InterruptOnce outer;

    InterruptOnce(Thread thread) {
        this(thread, null);
    }

    private InterruptOnce(Thread thread, @Nullable InterruptOnce outer) {
        super(SET);
        this.thread = thread;
        this.outer = outer;
    }

    /** For the current thread, inside of the call that it has an alarm for. */
    static InterruptOnce inside(CallState state) {
        return new InterruptOnce(Thread.currentThread(), (InterruptOnce) state.alarm());
    }

    @Override
    public void run() {
        if (compareAndSet(SET, RINGING)) {
            boolean foreign = thread.isInterrupted();
            try {
                if (!foreign) {
                    thread.interrupt();
                }
            } finally {
                // An interrupt runs code of others: what it wakes may be a channel, or a thread of a subclass.
                set(foreign ? RANG_SILENTLY : RANG);
            }
        }
    }

    /**
     * Called by the thread when its code has ended and nobody has kept the alarm from ringing; takes back what was delivered
     * and not consumed. Whether it rang.
     */
    boolean rang(boolean consumed) {
        if (compareAndSet(SET, OFF)) {
            return false;
        }
        awaitRung();
        if (get() == RANG) {
            if (!consumed) {
                Thread.interrupted();
            }
            ringFurtherOut();
        } else if (consumed) {
            Thread.currentThread().interrupt();
        }
        return true;
    }

    /** An alarm further out that took our interrupt for that of somebody else has its own now. */
    private void ringFurtherOut() {
        for (InterruptOnce alarm = outer; alarm != null; alarm = alarm.outer) {
            alarm.awaitRung();
            if (alarm.compareAndSet(RANG_SILENTLY, RANG)) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void awaitRung() {
        while (get() == RINGING) {
            Thread.onSpinWait();
        }
    }
}
