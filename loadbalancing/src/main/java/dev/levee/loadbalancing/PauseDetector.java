package dev.levee.loadbalancing;

/**
 * Detects pauses of this process by a timer that ran late. Outcomes of calls that overlap such a pause say nothing
 * about the servers.
 *
 * <pre>
 *   timer runs:   |---100 ms---|---100 ms---|------------ 1.4 s -----------|---100 ms---|
 *                                           from       due                 to
 *                                           |=== doubtful: the pause is ===|
 *                                                somewhere in between
 * </pre>
 *
 * <p>The pause began some time after the last run that came in time, so everything from there to the late run is
 * doubtful. Calls may end before the late run; they see that it is overdue.
 *
 * <p>A run that is late by less is measured against the call: one that failed after 50 ms or more says nothing if this
 * process was late for a quarter of the time that it took, or longer. A timeout of 120 ms means little if its thread
 * had the processor for 80 of them. What counts is the time from {@code due} to {@code to}, in which this surely did
 * not run.
 *
 * <p>One thread runs the timer, any thread asks. See ADR 45, and ADR 193 for short pauses.
 */
class PauseDetector { // not final, for tests that come between two steps of the timer
    static final long PERIOD_NANOS = 100_000_000L;
    /** The time between two runs while calls are made. */
    static final long BUSY_PERIOD_NANOS = 25_000_000L;

    static final long LATE_NANOS = 100_000_000L;
    /** What is late by less than this is a busy machine as any other. */
    private static final long LEAST_NANOS = 5_000_000L;
    /** A call that ended sooner had an answer, such as a refused connection, and was not left without time. */
    private static final long LEAST_CALL_NANOS = 50_000_000L;
    /** How many late runs are remembered: those of the last second and a half if all are late. */
    private static final int REMEMBERED = 64;

    private static final int SHARE = 4;
    private static final long[] NONE = {};

    private volatile Span last;
    private volatile long count;
    /** Whether calls have ended since this was asked for last. */
    private volatile boolean called;
    /** The most that this process was late in a call that said nothing for that reason, since it was asked for last. */
    private volatile long excused;

    /**
     * The last run of the timer, when it is to run next and whether it will, the last pause if there has been any, and
     * the late runs: when each was due, and when it ran.
     */
    @SuppressWarnings("ArrayRecordComponent") // never changed, nor compared
    private record Span(long lastRun, long due, boolean rests, boolean any, long from, long to, long[] late) {

        Span ran(long nowNanos, long periodNanos) {
            return new Span(nowNanos, nowNanos + periodNanos, false, any, from, to, late);
        }

        Span ranLate(long nowNanos, boolean pause) {
            long[] more = new long[Math.min(late.length + 2, 2 * REMEMBERED)];
            int kept = more.length - 2;
            System.arraycopy(late, late.length - kept, more, 0, kept);
            more[kept] = due;
            more[kept + 1] = nowNanos;
            return new Span(lastRun, due, rests, any || pause, pause ? lastRun : from, pause ? nowNanos : to, more);
        }

        long lateness(long nowNanos) {
            return rests ? 0L : nowNanos - due;
        }

        /** For how long of the time between these moments the timer was late. */
        long latenessIn(long startNanos, long endNanos) {
            long sum = lateness(endNanos) >= LEAST_NANOS ? within(due, endNanos, startNanos, endNanos) : 0L;
            for (int i = 0; i < late.length; i += 2) {
                sum += within(late[i], late[i + 1], startNanos, endNanos);
            }
            return sum;
        }

        private static long within(long from, long to, long startNanos, long endNanos) {
            long first = from - startNanos > 0 ? from : startNanos;
            long end = to - endNanos < 0 ? to : endNanos;
            return Math.max(0L, end - first);
        }
    }

    PauseDetector(long nowNanos) {
        last = new Span(nowNanos, nowNanos + PERIOD_NANOS, false, false, 0, 0, NONE);
    }

    /**
     * Records a run of the timer, and that the next one is due after a period. Returns how long the pause was that it
     * shows, in nanoseconds; 0 if it shows none.
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread runs the timer
    long onTimer(long nowNanos, long periodNanos) {
        Span before = last;
        long lateness = before.lateness(nowNanos);
        if (lateness < LEAST_NANOS) {
            last = before.ran(nowNanos, periodNanos);
            return 0L;
        }
        boolean pause = lateness > LATE_NANOS;
        last = before.ranLate(nowNanos, pause).ran(nowNanos, periodNanos);
        if (!pause) {
            return 0L;
        }
        count++;
        return nowNanos - before.lastRun;
    }

    /** Records that the timer runs from now on. */
    void begin(long nowNanos, long periodNanos) {
        last = last.ran(nowNanos, periodNanos);
    }

    /** Records that the timer does not run until {@link #begin}: no pause is detected meanwhile. */
    void rest() {
        Span before = last;
        last = new Span(before.lastRun, before.due, true, before.any, before.from, before.to, before.late);
    }

    /** Returns when the timer ran last: calls that start now start no earlier, and after the last pause. */
    long lastRun() {
        return last.lastRun;
    }

    /** Whether this process may have paused between these moments, or was late for too much of that time. */
    boolean overlaps(long startNanos, long endNanos) {
        Span now = last;
        if (now.lateness(endNanos) > LATE_NANOS) {
            return true;
        }
        if (now.any && startNanos - now.to < 0 && endNanos - now.from > 0) {
            return true;
        }
        long duration = endNanos - startNanos;
        if (duration < LEAST_CALL_NANOS) {
            return false;
        }
        long lateness = now.latenessIn(startNanos, endNanos);
        if (lateness < duration / SHARE) {
            return false;
        }
        excused = Math.max(excused, lateness); // to be told once; a race loses no more than a number
        return true;
    }

    /** How many pauses have been detected. */
    long count() {
        return count;
    }

    /** Notes a call, so that the timer runs more often. */
    void called() {
        if (!called) {
            called = true;
        }
    }

    /** Whether calls have been noted since the last time. The thread of the timer asks. */
    boolean takeCalled() {
        boolean any = called;
        if (any) {
            called = false;
        }
        return any;
    }

    /** The most that this process was late in a call that said nothing for that reason since the last time, or 0. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // of the count: one thread runs the timer
    long takeExcused() {
        long most = excused;
        if (most != 0L) {
            excused = 0L;
            count++;
        }
        return most;
    }
}
