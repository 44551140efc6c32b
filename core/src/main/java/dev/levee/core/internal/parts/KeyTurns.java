package dev.levee.core.internal.parts;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Turns of keys: one thread at a time changes a key, first come first served, and each waits for the one ahead of it.
 *
 * <p>A turn is not a lock of a table: others are waited for without one, at most until the deadline of the call or an
 * interrupt, threads that would wait for each other for ever get an exception, and a thread within its own turn goes
 * on. A change that gives up its wait stays in the line as a place that is skipped, so no other one loses its turn.
 * After Michael Scott and William Scherer, "Scalable Queue-Based Spin Locks with Timeout" (2001). Thread-safe. See ADR
 * 109.
 *
 * @param <K> keys, with {@code equals} and {@code hashCode}
 */
public abstract class KeyTurns<K> {
    /** The last place of each line. */
    private final ConcurrentHashMap<K, KeyPlace> last = new ConcurrentHashMap<>();

    /** What each thread waits for, to find rings of them. */
    private final ConcurrentHashMap<Thread, KeyPlace> waits = new ConcurrentHashMap<>();

    private final Scheduler scheduler;

    /**
     * Makes lines that are empty.
     *
     * @param scheduler parks threads that wait
     */
    protected KeyTurns(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /**
     * Makes what is thrown if the thread is interrupted while it waits, which leaves its flag set.
     *
     * @return the exception
     */
    protected abstract RuntimeException interrupted();

    /**
     * Makes what is thrown if the deadline of the call passes before the turn comes.
     *
     * @return the exception
     */
    protected abstract RuntimeException late();

    /**
     * Makes what is thrown if the changes that are waited for wait for this thread.
     *
     * @param key the key
     * @return the exception
     */
    protected abstract RuntimeException endless(K key);

    /**
     * Waits for the turn of a change of the current thread. One within another change of the same key by the same
     * thread has its turn at once.
     *
     * @param key the key
     * @return the place of the change, for {@link #end}
     */
    public final KeyPlace take(K key) {
        KeyPlace own = new KeyPlace();
        KeyPlace there = last.put(key, own);
        if (there == null || there.ended) {
            return own;
        }
        own.ahead = there;
        boolean mine = false;
        try {
            await(key, own);
            mine = true;
            return own;
        } finally {
            if (!mine) {
                skip(key, own);
            }
        }
    }

    /**
     * Ends a change: the next one has its turn, unless this one ran within another one.
     *
     * @param key the key
     * @param own what {@link #take} has returned
     */
    public final void end(K key, KeyPlace own) {
        if (own.next() != null) {
            skip(key, own);
            return;
        }
        own.ended = true;
        try {
            last.remove(key, own);
        } finally { // the key may throw, or the stack end; the next one that comes takes its place then
            own.wakeBehind();
        }
    }

    /**
     * Returns how many keys have a line.
     *
     * @return the number
     */
    public final int size() {
        return last.size();
    }

    /** Leaves the line: what waits for this place waits for the one ahead. */
    private void skip(K key, KeyPlace own) {
        own.skipped = true;
        try {
            KeyPlace from = own;
            KeyPlace to = own.next();
            while (to != null && last.replace(key, from, to) && (to.ended || to.skipped)) {
                from = to;
                to = from.next();
            }
            if (to == null) {
                last.remove(key, from);
            }
        } finally {
            own.wakeBehind();
        }
    }

    private void await(K key, KeyPlace own) {
        Thread thread = own.thread;
        Deadline deadline = CallContext.current().deadline();
        try {
            for (KeyPlace next = own.next(); next != null; next = own.next()) {
                next.behind = thread;
                if (isWithinOwn(thread, next)) {
                    return; // not published: it does not wait
                }
                waits.put(thread, next);
                refuseRing(key, thread, next);
                if (next.ended || next.skipped) {
                    continue;
                }
                if (thread.isInterrupted()) {
                    throw interrupted();
                }
                long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
                if (left <= 0) {
                    throw late();
                }
                scheduler.park(own, left);
            }
        } finally {
            waits.remove(thread);
        }
    }

    /** Whether a thread waits for itself: its change changes the key again. */
    private static boolean isWithinOwn(Thread thread, KeyPlace first) {
        for (KeyPlace place = first; place != null; place = place.ahead) {
            if (place.thread == thread && !place.ended && !place.skipped) {
                return true;
            }
        }
        return false;
    }

    /** A wait is published before the ring is walked, so that one of those that close it sees it. */
    private void refuseRing(K key, Thread thread, KeyPlace first) {
        int steps = 0;
        KeyPlace place = first;
        while (place != null && !place.ended && !place.skipped && steps++ < waits.size() + 1) {
            if (place.thread == thread) {
                throw endless(key);
            }
            KeyPlace next = waits.get(place.thread);
            // In this order: only if the place has not ended afterwards is it certain that its thread waits within it.
            // What waited for one that has ended or was left is woken, and walks again.
            if (place.ended || place.skipped) {
                return;
            }
            place = next;
        }
    }

    /** The place of one change in the line of its key. */
    public static final class KeyPlace {
        private final Thread thread = Thread.currentThread();

        /** The place ahead; null once nothing is waited for. */
        private volatile @Nullable KeyPlace ahead;

        /** What waits for this place. */
        private volatile @Nullable Thread behind;

        private volatile boolean ended;
        private volatile boolean skipped;

        private KeyPlace() {}

        private void wakeBehind() {
            Thread waiting = behind;
            if (waiting != null) {
                LockSupport.unpark(waiting);
            }
        }

        /** Returns the place that has to end first, or null. */
        private @Nullable KeyPlace next() {
            KeyPlace next = ahead;
            while (next != null && next.skipped && !next.ended) {
                next = next.ahead;
            }
            if (next != null && next.ended) {
                next = null;
            }
            ahead = next;
            return next;
        }

        @Override
        public String toString() {
            return "a turn to change a key";
        }
    }
}
