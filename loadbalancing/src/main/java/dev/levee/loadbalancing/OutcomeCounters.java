package dev.levee.loadbalancing;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How calls to one endpoint ended: written by every call, on a cache line that is the endpoint's own, without locks or allocation.
 * The totals only grow; who wants those of an interval takes the difference, so that no call is lost between two intervals.
 */
final class OutcomeCounters {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int SUCCESSES = 16;
    private static final int FAILURES = 17;
    private static final int RUN = 18; // of failures, up to now
    private static final int RUN_SINCE = 19;
    private static final int LAST = 20;
    private static final int LENGTH = 40;

    private final long[] cells = new long[LENGTH];
    private final int worthALook;

    /** A run of so many failures is worth a look; 0 if none is. */
    OutcomeCounters(int worthALook) {
        this.worthALook = worthALook;
    }

    void success(long endNanos) {
        CELL.getAndAdd(cells, SUCCESSES, 1L);
        CELL.setOpaque(cells, LAST, endNanos);
        if ((long) CELL.getOpaque(cells, RUN) != 0L) {
            CELL.setOpaque(cells, RUN, 0L);
        }
    }

    /** Whether the run of failures should be looked at: the first time, then ever more seldom. */
    boolean failure(long endNanos) {
        CELL.getAndAdd(cells, FAILURES, 1L);
        CELL.setOpaque(cells, LAST, endNanos);
        long run = (long) CELL.getAndAdd(cells, RUN, 1L) + 1L;
        if (run == 1L) {
            CELL.setOpaque(cells, RUN_SINCE, endNanos);
        }
        return worthALook > 0 && run % worthALook == 0L && Long.bitCount(run / worthALook) == 1;
    }

    long successes() {
        return (long) CELL.getOpaque(cells, SUCCESSES);
    }

    long failures() {
        return (long) CELL.getOpaque(cells, FAILURES);
    }

    long run() {
        return (long) CELL.getOpaque(cells, RUN);
    }

    /** When the first failure of the run was; meaningless without a run. */
    long runSince() {
        return (long) CELL.getOpaque(cells, RUN_SINCE);
    }

    /** When the last call ended; meaningless without one. */
    long lastNanos() {
        return (long) CELL.getOpaque(cells, LAST);
    }

    /** Begins a new life: what was before the endpoint was left out says nothing any more. */
    void forgetRun() {
        CELL.setOpaque(cells, RUN, 0L);
    }
}
