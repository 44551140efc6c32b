package dev.levee.core.policy;

import java.util.concurrent.atomic.AtomicInteger;

/** Interrupts a thread once, and only while its guarded code runs. */
final class Alarm extends AtomicInteger implements Runnable {
    private static final long serialVersionUID = 1L;
    private static final int SET = 0;
    private static final int OFF = 1;
    private static final int RINGING = 2;
    private static final int RANG = 3;
    /** It would have rung, but the thread was interrupted already: that interrupt is not ours. */
    private static final int RANG_SILENTLY = 4;

    private final transient Thread thread;

    Alarm(Thread thread) {
        super(SET);
        this.thread = thread;
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
        while (get() == RINGING) {
            Thread.onSpinWait();
        }
        if (get() == RANG && !consumed) {
            Thread.interrupted();
        } else if (get() == RANG_SILENTLY && consumed) {
            Thread.currentThread().interrupt();
        }
        return true;
    }
}
