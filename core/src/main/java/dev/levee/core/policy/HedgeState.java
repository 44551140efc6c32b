package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The state of a hedged call, packed into one word, and the transitions of that word. It is the superclass of
 * {@link HedgedCall}, not an object of its own, because a call may allocate little.
 *
 * <pre>{@code
 * bit   31        19    18        17       16     15         8 7         0
 *      +------------+---------+--------+--------+-------------+-----------+
 *      |   unused   | SETTLED | PAUSED | CLOSED |  in flight  |  started  |
 *      +------------+---------+--------+--------+-------------+-----------+
 *
 * started     attempts counted so far, the first included; never decreases
 * in flight   attempts that are counted and have not ended
 * CLOSED      no further attempt may start
 * PAUSED      the next attempt waits, because the dependency asked for it
 * SETTLED     the outcome is decided; never cleared
 *
 *             countNext: started + 1, in flight + 1
 *             countFailure: in flight - 1, or started + 1 if another attempt takes its place
 *                +----+
 *                |    v
 *              +--------+   countFailure (wait)    +--------+
 *   start ---> |  open  | -----------------------> | PAUSED |
 *              |        | <----------------------- |        |
 *              +--------+   countNextAfterPause    +--------+
 *                |    |                                |
 *                |    | countFailure (no more), close, closeForCancel
 *                |    v                                |
 *                |  +--------+                         |
 *                |  | CLOSED | <-----------------------+
 *                |  +--------+
 *                |    | the last attempt in flight ends
 *                v    v
 *              +---------+
 *              | SETTLED |   settle: from every state, by an outcome that is final
 *              +---------+
 * }</pre>
 *
 * <p>See ADR 29.
 */
abstract class HedgeState<T extends @Nullable Object> extends CallFuture<T> {
    /** What an attempt that failed leads to. */
    enum AfterFailure {
        /** The call is settled already. */
        TOO_LATE,
        /** The next attempt is counted in place of the one that failed, and must be started. */
        START_NEXT,
        /** The pause that the dependency asked for must begin. */
        PAUSE,
        /** Other attempts are in flight, or a pause has not ended. */
        AWAIT_OTHERS,
        /** It was the last attempt: the call is settled, and must be completed with its failure. */
        FAIL_CALL
    }

    /** Wait of the next attempt: none. */
    static final long AT_ONCE = 0;

    /** Wait of the next attempt: there is none. */
    static final long NO_MORE = -1;

    static final int ONE_IN_FLIGHT = 1 << 8;
    private static final int STARTED = 0xFF;
    private static final int IN_FLIGHT = 0xFF << 8;
    private static final int CLOSED = 1 << 16;
    private static final int PAUSED = 1 << 17;
    private static final int SETTLED = 1 << 18;
    private static final VarHandle WORD = Handles.field(MethodHandles.lookup(), "word", int.class);

    final RacingHedge hedge;
    private volatile int word = 1 + ONE_IN_FLIGHT;

    HedgeState(RacingHedge hedge) {
        this.hedge = hedge;
    }

    final boolean isSettled() {
        return isSettled(word);
    }

    final boolean isPaused() {
        return isPaused(word);
    }

    /** Whether an attempt of this number is the latest, and another one may start after it. */
    final boolean mayStartAfter(int number) {
        int seen = word;
        return isOpen(seen) && started(seen) == number;
    }

    /** Counts the attempt after this number. Returns false if another thread was first, or it may not start now. */
    final boolean countNext(int number) {
        int seen;
        do {
            seen = word;
            if (!isOpen(seen) || started(seen) != number) {
                return false;
            }
        } while (!replace(seen, seen + 1 + ONE_IN_FLIGHT));
        return true;
    }

    /** Ends a pause and counts the attempt after this number. Returns false if that pause has ended already. */
    final boolean countNextAfterPause(int number) {
        int seen;
        do {
            seen = word;
            if (!isPaused(seen) || started(seen) != number) {
                return false;
            }
        } while (!replace(seen, (seen & ~PAUSED) + 1 + ONE_IN_FLIGHT));
        return true;
    }

    /**
     * Takes a failed attempt out of flight. Returns the word before, for {@link #afterFailure} and {@link #started}.
     */
    final int countFailure(long wait) {
        int seen;
        do {
            seen = word;
            if (isSettled(seen)) {
                return seen;
            }
        } while (!replace(seen, countedFailure(seen, wait)));
        return seen;
    }

    private int countedFailure(int seen, long wait) {
        boolean open = isOpen(seen);
        int next = open && wait == AT_ONCE ? seen + 1 : seen - ONE_IN_FLIGHT;
        next = open && wait > AT_ONCE ? next | PAUSED : next;
        next = wait == NO_MORE ? (next & ~PAUSED) | CLOSED : next;
        return settledIfLast(next);
    }

    /**
     * Returns what {@link #countFailure} has led to.
     *
     * @param before the word before it
     * @param wait until the next attempt
     */
    final AfterFailure afterFailure(int before, long wait) {
        if (isSettled(before)) {
            return AfterFailure.TOO_LATE;
        }
        if (isOpen(before) && wait >= AT_ONCE) {
            return wait == AT_ONCE ? AfterFailure.START_NEXT : AfterFailure.PAUSE;
        }
        return isSettled(countedFailure(before, wait)) ? AfterFailure.FAIL_CALL : AfterFailure.AWAIT_OTHERS;
    }

    /**
     * Allows no further attempts.
     *
     * @param notStarted {@link #ONE_IN_FLIGHT} to take back an attempt that was counted and will not start, or zero
     * @return whether this has settled the call, which must be completed then
     */
    final boolean close(int notStarted) {
        int seen;
        int next;
        do {
            seen = word;
            next = settledIfLast(((seen - notStarted) & ~PAUSED) | CLOSED);
        } while (!replace(seen, next));
        return !isSettled(seen) && isSettled(next);
    }

    private int settledIfLast(int next) {
        boolean more = (next & CLOSED) == 0 && started(next) < hedge.maxAttempts;
        return (next & IN_FLIGHT) == 0 && !isPaused(next) && !more ? next | SETTLED : next;
    }

    /**
     * Allows no further attempts, because the call was cancelled: it is settled at once if nothing is in flight or its
     * future is complete.
     *
     * @return whether this has settled the call
     */
    final boolean closeForCancel() {
        int seen;
        int next;
        do {
            seen = word;
            next = (seen & ~PAUSED) | CLOSED;
            next = isDone() || (next & IN_FLIGHT) == 0 ? next | SETTLED : next;
        } while (!replace(seen, next));
        return !isSettled(seen) && isSettled(next);
    }

    /** Takes an attempt of a cancelled call out of flight. Returns the word before. */
    final int countEndAfterCancel() {
        int seen;
        do {
            seen = word;
        } while (!replace(seen, countedEndAfterCancel(seen)));
        return seen;
    }

    /** Whether {@link #countEndAfterCancel} has settled the call, which it found as this word. */
    static boolean wasLastAfterCancel(int before) {
        return !isSettled(before) && isSettled(countedEndAfterCancel(before));
    }

    private static int countedEndAfterCancel(int seen) {
        int next = seen - ONE_IN_FLIGHT | CLOSED;
        return (next & IN_FLIGHT) == 0 ? next | SETTLED : next;
    }

    /** Settles the call. Returns false if it was settled before. */
    final boolean settle() {
        return !isSettled((int) WORD.getAndBitwiseOr(this, SETTLED));
    }

    private boolean replace(int seen, int next) {
        return WORD.compareAndSet(this, seen, next);
    }

    static int started(int word) {
        return word & STARTED;
    }

    private boolean isOpen(int word) {
        return (word & (CLOSED | PAUSED | SETTLED)) == 0 && started(word) < hedge.maxAttempts;
    }

    private static boolean isPaused(int word) {
        return (word & PAUSED) != 0;
    }

    static boolean isSettled(int word) {
        return (word & SETTLED) != 0;
    }
}
