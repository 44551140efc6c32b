package dev.levee.cache;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The place of one write in the line of its key: each waits for the one ahead of it, first come first served.
 *
 * <p>A write that gives up its wait stays in the line as a place that is skipped, so no other one loses its turn. After
 * Michael Scott and William Scherer, "Scalable Queue-Based Spin Locks with Timeout" (2001). See ADR 109.
 */
final class WriteTurn {
    private final Thread thread = Thread.currentThread();

    /** The place ahead; null once nothing is waited for. */
    private volatile @Nullable WriteTurn ahead;

    /** What waits for this place. */
    private volatile @Nullable Thread behind;

    private volatile boolean ended;
    private volatile boolean skipped;

    /** Lines of keys: the last place of each. */
    static final class Lines<K> {
        private final ConcurrentHashMap<K, WriteTurn> last = new ConcurrentHashMap<>();

        /** What each thread waits for, to find rings of them. */
        private final ConcurrentHashMap<Thread, WriteTurn> waits = new ConcurrentHashMap<>();

        private final String cache;
        private final Scheduler scheduler;

        Lines(String cache, Scheduler scheduler) {
            this.cache = cache;
            this.scheduler = scheduler;
        }

        /**
         * Waits for the turn of a write of the current thread. One within another write of the same key by the same
         * thread has its turn at once.
         *
         * @throws InterruptedWaitException if the thread is interrupted while it waits
         * @throws StoreException if the deadline of the call passes
         * @throws IllegalStateException if the writes that it waits for wait for this thread
         */
        WriteTurn take(K key) {
            WriteTurn own = new WriteTurn();
            WriteTurn there = last.put(key, own);
            if (there == null || there.ended) {
                return own;
            }
            own.ahead = there;
            boolean mine = false;
            try {
                own.await(key, this);
                mine = true;
                return own;
            } finally {
                if (!mine) {
                    skip(key, own);
                }
            }
        }

        /** Ends a write: the next one has its turn, unless this one ran within another one. */
        void end(K key, WriteTurn own) {
            if (own.next() != null) {
                skip(key, own);
                return;
            }
            own.ended = true;
            last.remove(key, own);
            own.wakeBehind();
        }

        /** Leaves the line: what waits for this place waits for the one ahead. */
        private void skip(K key, WriteTurn own) {
            own.skipped = true;
            WriteTurn from = own;
            WriteTurn to = own.next();
            while (to != null && last.replace(key, from, to) && (to.ended || to.skipped)) {
                from = to;
                to = from.next();
            }
            if (to == null) {
                last.remove(key, from);
            }
            own.wakeBehind();
        }

        int size() {
            return last.size();
        }
    }

    private void wakeBehind() {
        Thread waiting = behind;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }

    private <K> void await(K key, Lines<K> lines) {
        Deadline deadline = CallContext.current().deadline();
        try {
            for (WriteTurn next = next(); next != null; next = next()) {
                next.behind = thread;
                if (isWithinOwn(next)) {
                    return; // not published: it does not wait
                }
                lines.waits.put(thread, next);
                refuseRing(key, lines, next);
                if (next.ended || next.skipped) {
                    continue;
                }
                if (thread.isInterrupted()) {
                    throw new InterruptedWaitException("cache", lines.cache, new InterruptedException());
                }
                long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
                if (left <= 0) {
                    throw new StoreException(
                            lines.cache,
                            "write in time",
                            new TimeoutException("the deadline passed during another write of the key"),
                            false);
                }
                lines.scheduler.park(this, left);
            }
        } finally {
            lines.waits.remove(thread);
        }
    }

    /** Returns the place that has to end first, or null. */
    private @Nullable WriteTurn next() {
        WriteTurn next = ahead;
        while (next != null && next.skipped && !next.ended) {
            next = next.ahead;
        }
        if (next != null && next.ended) {
            next = null;
        }
        ahead = next;
        return next;
    }

    /** Whether this thread waits for itself: its store writes the key that it is writing. */
    private boolean isWithinOwn(WriteTurn first) {
        for (WriteTurn turn = first; turn != null; turn = turn.ahead) {
            if (turn.thread == thread && !turn.ended && !turn.skipped) {
                return true;
            }
        }
        return false;
    }

    /** As in {@link LoadingThread}: a wait is published before the ring is walked. */
    private <K> void refuseRing(K key, Lines<K> lines, WriteTurn first) {
        int steps = 0;
        WriteTurn turn = first;
        while (turn != null && !turn.ended && !turn.skipped && steps++ < lines.waits.size() + 1) {
            if (turn.thread == thread) {
                throw new IllegalStateException("cache \"" + lines.cache + "\" cannot write key " + Text.printable(key)
                        + ": the write that it waits for has to wait for it");
            }
            WriteTurn next = lines.waits.get(turn.thread);
            // In this order: only if the turn has not ended afterwards is it certain that its thread waits within it.
            // What waited for one that has ended or was left is woken, and walks again.
            if (turn.ended || turn.skipped) {
                return;
            }
            turn = next;
        }
    }

    @Override
    public String toString() {
        return "a turn to write";
    }
}
