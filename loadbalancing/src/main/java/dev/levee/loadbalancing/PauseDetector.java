package dev.levee.loadbalancing;

/**
 * Detects pauses of this process by a timer that ran late. Outcomes of calls that overlap such a pause say nothing
 * about the servers.
 *
 * <pre>
 *   timer runs:   |---100 ms---|---100 ms---|------------ 1.4 s -----------|---100 ms---|
 *                                           from                           to
 *                                           |=== doubtful: the pause is ===|
 *                                                somewhere in between
 * </pre>
 *
 * <p>The pause began some time after the last run that came in time, so everything from there to the late run is
 * doubtful. Calls may end before the late run; they see that it is overdue. One thread runs the timer, any thread asks.
 * See ADR 45.
 */
class PauseDetector { // not final, for tests that come between two steps of the timer
    static final long PERIOD_NANOS = 100_000_000L;
    static final long LATE_NANOS = 100_000_000L;

    private volatile Span last;
    private volatile long count;

    /** The last run of the timer, whether it will run again, and the last pause if there has been any. */
    private record Span(long lastRun, boolean rests, boolean any, long from, long to) {}

    PauseDetector(long nowNanos) {
        last = new Span(nowNanos, false, false, 0, 0);
    }

    /** Records a run of the timer. Returns how long the pause was that it shows, in nanoseconds; 0 if it shows none. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread runs the timer
    long onTimer(long nowNanos) {
        Span before = last;
        if (isOverdue(before, nowNanos)) {
            count++;
            last = new Span(nowNanos, false, true, before.lastRun, nowNanos);
            return nowNanos - before.lastRun;
        }
        last = new Span(nowNanos, false, before.any, before.from, before.to);
        return 0L;
    }

    /** Records that the timer runs from now on. */
    void begin(long nowNanos) {
        Span before = last;
        last = new Span(nowNanos, false, before.any, before.from, before.to);
    }

    /** Records that the timer does not run until {@link #begin}: no pause is detected meanwhile. */
    void rest() {
        Span before = last;
        last = new Span(before.lastRun, true, before.any, before.from, before.to);
    }

    /** Returns when the timer ran last: calls that start now start no earlier, and after the last pause. */
    long lastRun() {
        return last.lastRun;
    }

    private static boolean isOverdue(Span before, long nowNanos) {
        return !before.rests && nowNanos - before.lastRun > PERIOD_NANOS + LATE_NANOS;
    }

    /** Whether the process may have paused between these moments. */
    boolean overlaps(long startNanos, long endNanos) {
        Span now = last;
        if (isOverdue(now, endNanos)) {
            return true;
        }
        return now.any && startNanos - now.to < 0 && endNanos - now.from > 0;
    }

    /** How many pauses have been detected. */
    long count() {
        return count;
    }
}
