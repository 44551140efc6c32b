package dev.levee.ratelimit.work;

import dev.levee.core.CallContext;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * An item with what has to be known of it: it has a key, has failed before, or is handled by its caller. An item
 * without all that has no entry. Written under the lock of the queue, or by the one thread that handles it.
 *
 * @param <T> the item
 */
final class WorkEntry<T> extends WorkNode implements Runnable {
    /** It has not begun, or is being handled. */
    static final int RUNNING = 0;

    /** It waits for its next attempt. */
    static final int BACKOFF = 1;

    /** It may be begun. */
    static final int READY = 2;

    /** It waits for an earlier item of its key. */
    static final int BEHIND = 3;

    /** It is done, a dead letter or returned. */
    static final int ENDED = 4;

    final T item;

    /** That of its key; null if it has none. */
    @Nullable WorkLane<T> lane;

    /** The thread that has submitted it and handles it; null if it has a place. */
    final @Nullable Thread caller;

    /** What carriers have captured when it was submitted; null if there are none. */
    @Nullable CallContext context;

    long position;
    long acceptedNanos;

    /** Attempts that count. */
    int attempts;

    /** Refusals by policies since the last attempt that counts. */
    int refusals;

    long firstNanos;
    long lastNanos;
    long delayNanos;
    Verdict verdict = Verdict.IGNORED;

    @Nullable Throwable cause;

    /** Whether the budget has not let its next attempt through yet; only written by what handles it or its timer. */
    volatile boolean unpaid;

    /** When its next attempt is due. */
    long dueNanos;

    volatile int state = RUNNING;
    private final WorkAttempts<T> owner;
    private volatile Scheduler.@Nullable Timer timer;

    WorkEntry(WorkAttempts<T> attempts, T item, @Nullable WorkLane<T> lane, @Nullable Thread caller) {
        this.owner = attempts;
        this.item = item;
        this.lane = lane;
        this.caller = caller;
    }

    /** Returns what was captured for the item in a slot; null if nothing was. */
    static @Nullable CallContext contextIn(WorkSlot slot) {
        return slot.item() instanceof WorkEntry<?> entry ? entry.context : null;
    }

    /** Notes an attempt that was no success. */
    void failed(long nowNanos, Verdict judged, @Nullable Throwable thrown, boolean refused) {
        if (attempts == 0 && refusals == 0) {
            firstNanos = nowNanos;
        }
        if (refused) {
            refusals += refusals == Integer.MAX_VALUE ? 0 : 1;
        } else {
            attempts++;
            refusals = 0;
        }
        lastNanos = nowNanos;
        verdict = judged;
        cause = thrown;
    }

    /** What its timer does: it may be begun. */
    @Override
    public void run() {
        owner.due(this);
    }

    /** Notes the timer; one that is not needed any more is cancelled. */
    void timer(Scheduler.Timer set) {
        timer = set;
        if (state != BACKOFF) {
            set.cancel();
        }
    }

    /** Cancels the timer, if there is one. Calls a scheduler, so outside of the lock. */
    void cancelTimer() {
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
    }

    /** Returns the number of its next attempt, from 1. */
    int attempt() {
        return attempts == Integer.MAX_VALUE ? Integer.MAX_VALUE : attempts + 1;
    }

    /** Wakes the thread that has submitted it, if that waits for its end. */
    void tellCaller() {
        if (caller != null) {
            LockSupport.unpark(caller);
        }
    }

    DeadLetter<T> letter(long id) {
        return new DeadLetter<>(id, item, verdict, cause, attempts, firstNanos, lastNanos);
    }

    @Override
    public String toString() {
        return "the next attempt of an item of " + owner;
    }
}
