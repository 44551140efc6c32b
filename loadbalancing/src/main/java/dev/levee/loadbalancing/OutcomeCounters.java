package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts how calls to one endpoint ended: written by every call, on a cache line of its own, without locks or
 * allocation. The totals only grow; the counts of an interval are differences, so that no call is lost between two
 * intervals.
 *
 * <pre>
 *   long[40]:  0 .. 15 padding | 16 successes | 17 failures | 18 run | 19 run since | 20 last end | 21 .. 39 padding
 * </pre>
 */
class OutcomeCounters { // not final, for tests that stop a thread between its writes
    // Opaque reads and writes: totals grow by atomic additions, and the other cells are estimates that the next outcome
    // corrects; a review that must see its own failure runs on the thread that counted it, or is handed to another.
    // Only a run and its start belong together: the start is written before the run by its compare-and-set, and a
    // reader acquires the run before it reads the start.
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int SUCCESSES = 16;
    private static final int FAILURES = 17;
    /** Failures in a row, up to now. */
    private static final int RUN = 18;

    private static final int RUN_SINCE = 19;
    private static final int LAST = 20;
    private static final int LENGTH = 40;

    private final long[] cells = new long[LENGTH];
    private final int reviewedRun;
    private final long fadeNanos;

    /**
     * Counters of one endpoint.
     *
     * @param reviewedRun how many failures in a row are worth a review; 0 if no number is
     * @param fadeNanos after how long without any call a run is over
     */
    OutcomeCounters(int reviewedRun, long fadeNanos) {
        this.reviewedRun = reviewedRun;
        this.fadeNanos = fadeNanos;
    }

    OutcomeCounters(int reviewedRun) {
        this(reviewedRun, Nanos.NEVER);
    }

    void success(long endNanos) {
        CELL.getAndAdd(cells, SUCCESSES, 1L);
        CELL.setOpaque(cells, LAST, endNanos);
        if ((long) CELL.getOpaque(cells, RUN) != 0L) {
            CELL.setOpaque(cells, RUN, 0L);
        }
    }

    /**
     * Counts a failure, and returns whether the run deserves a review: at 1, 2, 4, 8 ... times the reviewed run. A run
     * never shows without its start: a review that found the start of an earlier one would compare with outcomes of
     * peers from before the fault.
     */
    boolean failure(long endNanos) {
        CELL.getAndAdd(cells, FAILURES, 1L);
        if (run() != 0L && endNanos - lastNanos() > fadeNanos) {
            resetRun();
        }
        CELL.setOpaque(cells, LAST, endNanos);
        long run;
        long since;
        do {
            since = runSince();
            run = run();
        } while ((run == 0L && !beginRun(since, endNanos)) || !raiseRun(run));
        run++;
        return reviewedRun > 0 && run % reviewedRun == 0L && Long.bitCount(run / reviewedRun) == 1;
    }

    /** Writes the start of a run; false if another failure was faster, whose run may be over already. */
    boolean beginRun(long seen, long endNanos) {
        return CELL.compareAndSet(cells, RUN_SINCE, seen, endNanos);
    }

    /** Makes a run one failure longer; false if another outcome was faster. */
    boolean raiseRun(long seen) {
        return CELL.compareAndSet(cells, RUN, seen, seen + 1L);
    }

    long successes() {
        return (long) CELL.getOpaque(cells, SUCCESSES);
    }

    long failures() {
        return (long) CELL.getOpaque(cells, FAILURES);
    }

    /** How many calls have failed in a row; to be read before {@link #runSince}. */
    long run() {
        return (long) CELL.getAcquire(cells, RUN); // acquire: with the start that came before it
    }

    /** When the first failure of the run was; meaningless without a run. */
    long runSince() {
        return (long) CELL.getOpaque(cells, RUN_SINCE);
    }

    /** When the last call ended; meaningless without one. */
    long lastNanos() {
        return (long) CELL.getOpaque(cells, LAST);
    }

    /** Ends the run: the calls before an ejection say nothing any more. */
    void resetRun() {
        CELL.setOpaque(cells, RUN, 0L);
    }
}
