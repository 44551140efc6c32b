package dev.levee.loadbalancing;

import dev.levee.core.Verdict;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds the calls in flight that go past the refusing gate of one endpoint while the gates of all refuse: their own
 * outcomes say how many. A success allows one more, a failure an eighth less, down to one; so an endpoint that was
 * suspected without cause has all its calls within some round trips, and one that hangs has a single one.
 *
 * <pre>
 *   state:   63 ...... 48 | 47 ........ 24 | 23 ......... 0
 *            successes    | how many       | calls in
 *            in a row     | are allowed    | flight
 * </pre>
 *
 * <p>Thread-safe, lock-free, allocates nothing. See ADR 64.
 */
final class PassingCalls {
    static final int FIRST_LIMIT = 10;

    private static final int MAX_LIMIT = 1 << 20;
    private static final int MAX_RUN = 1 << 10;
    /** After so many successes in a row the gates may probe. */
    private static final int CONVINCING_RUN = 3;

    private static final int LIMIT_SHIFT = 24;
    private static final int RUN_SHIFT = 48;
    private static final long MASK = (1L << LIMIT_SHIFT) - 1;

    /** Not known to do badly, to begin with. */
    private final AtomicLong state = new AtomicLong(pack(1, FIRST_LIMIT, 0));

    private static long pack(long run, long limit, long inFlight) {
        return run << RUN_SHIFT | limit << LIMIT_SHIFT | inFlight;
    }

    private static long limit(long seen) {
        return seen >>> LIMIT_SHIFT & MASK;
    }

    private static long inFlight(long seen) {
        return seen & MASK;
    }

    /** Whether the last call that went past succeeded; true if none did so far. */
    boolean isPromising() {
        return state.get() >>> RUN_SHIFT > 0;
    }

    /** Whether fewer are in flight than are allowed. */
    boolean hasRoom() {
        return hasRoom(state.get());
    }

    private static boolean hasRoom(long seen) {
        return inFlight(seen) < limit(seen);
    }

    /** Counts a call in; false if as many are in flight as are allowed. */
    boolean tryEnter() {
        while (true) {
            long seen = state.get();
            if (!hasRoom(seen)) {
                return false;
            }
            if (state.compareAndSet(seen, seen + 1)) {
                return true;
            }
        }
    }

    /** Counts a call out; returns whether its outcome is reason enough to let the gates probe. */
    boolean ended(Verdict verdict) {
        while (true) {
            long seen = state.get();
            long run = seen >>> RUN_SHIFT;
            long limit = limit(seen);
            if (verdict == Verdict.SUCCESS) {
                run = Math.min(MAX_RUN, run + 1);
                limit = Math.min(MAX_LIMIT, limit + 1);
            } else if (verdict.isFailure()) {
                run = 0;
                limit = Math.max(1, limit - Math.max(1, limit / 8));
            }
            if (state.compareAndSet(seen, pack(run, limit, inFlight(seen) - 1))) {
                return verdict == Verdict.SUCCESS && run >= CONVINCING_RUN;
            }
        }
    }
}
