package dev.levee.core.internal;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Interrupts a thread once, and only while its guarded code runs.
 *
 * <pre>{@code
 * SET --- run ---> DELIVERING ---> DELIVERED             the thread was interrupted
 *  |                     |            ^
 *  |                     |            | deliverFurtherOut, of an interrupt further in
 *  |                     |            |
 *  |                     +-------> DELIVERED_SILENTLY    the thread was interrupted already, by another cause
 *  +- delivered --> OFF                                  the code ended first
 * }</pre>
 *
 * <p>See ADR 16.
 */
public final class InterruptOnce extends AtomicInteger implements Runnable {
    private static final long serialVersionUID = 1L;
    private static final int SET = 0;
    private static final int OFF = 1;
    private static final int DELIVERING = 2;
    private static final int DELIVERED = 3;

    /**
     * The time was up, but the thread was interrupted already: from outside, or by an {@code InterruptOnce} further in.
     */
    private static final int DELIVERED_SILENTLY = 4;

    /** Bit of the state: the interrupt says that the result is not wanted any more, and not that the time is up. */
    private static final int CALLED_OFF = 8;

    private static final int STATE = 7;

    private final transient Thread thread;

    /** That of the call around this one on the same thread. */
    private final transient @Nullable InterruptOnce outer;

    /**
     * Makes one that stands alone.
     *
     * @param thread the thread to interrupt
     */
    public InterruptOnce(Thread thread) {
        this(thread, null);
    }

    private InterruptOnce(Thread thread, @Nullable InterruptOnce outer) {
        super(SET);
        this.thread = thread;
        this.outer = outer;
    }

    /**
     * Makes one for the current thread, within the call that the thread runs.
     *
     * @param state the state of the current thread
     * @return the innermost one of the thread, once it has been written into the state
     */
    public static InterruptOnce inside(CallState state) {
        return new InterruptOnce(Thread.currentThread(), state.alarm());
    }

    /** Interrupts the thread, unless its code has ended. */
    @Override
    public void run() {
        deliver(0);
    }

    private void deliver(int reason) {
        if (compareAndSet(SET, DELIVERING | reason)) {
            boolean foreign = thread.isInterrupted();
            try {
                if (!foreign) {
                    thread.interrupt();
                }
            } finally {
                // An interrupt runs foreign code: that of a channel, or of a subclass of Thread.
                set((foreign ? DELIVERED_SILENTLY : DELIVERED) | reason);
            }
        }
    }

    /** Interrupts the thread because the result of its call is not wanted any more. */
    public void callOff() {
        deliver(CALLED_OFF);
    }

    /**
     * Returns whether the call, or one around it on the same thread, was called off before its time was up: its result
     * is not wanted any more, because another attempt of a hedge was first or its caller has given up.
     *
     * @return true if so; then how it ends says nothing about the other side
     */
    public boolean isCalledOff() {
        InterruptOnce at = this;
        while (at != null && (at.get() & CALLED_OFF) == 0) {
            at = at.outer;
        }
        return at != null;
    }

    /**
     * Returns whether the time of the call, or of one around it on the same thread, was up while it ran.
     *
     * @return true if one was interrupted, or would have been, and not called off
     */
    public boolean isTimeUp() {
        InterruptOnce at = this;
        while (at != null && (at.get() < DELIVERING || (at.get() & CALLED_OFF) != 0)) {
            at = at.outer;
        }
        return at != null;
    }

    /**
     * Called by the thread when its code has ended and the timer could not be taken back. Takes back an interrupt that
     * was delivered and not consumed.
     *
     * @param consumed whether the code has ended with an {@link InterruptedException}
     * @return whether it was delivered
     */
    public boolean delivered(boolean consumed) {
        if (compareAndSet(SET, OFF)) {
            return false;
        }
        awaitDelivery();
        if (state() == DELIVERED) {
            if (!consumed) {
                Thread.interrupted();
            }
            deliverFurtherOut();
        } else if (consumed) {
            Thread.currentThread().interrupt();
        }
        return true;
    }

    /** Delivers the interrupt of a call further out which took this one for an interrupt from outside. */
    private void deliverFurtherOut() {
        for (InterruptOnce next = outer; next != null; next = next.outer) {
            next.awaitDelivery();
            int seen = next.get();
            if ((seen & STATE) == DELIVERED_SILENTLY && next.compareAndSet(seen, DELIVERED | (seen & CALLED_OFF))) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private int state() {
        return get() & STATE;
    }

    private void awaitDelivery() {
        while (state() == DELIVERING) {
            Thread.onSpinWait();
        }
    }
}
