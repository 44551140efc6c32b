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
final class PauseDetector {
    static final long PERIOD_NANOS = 100_000_000L;
    static final long LATE_NANOS = 100_000_000L;

    private volatile Span last;
    private volatile long count;

    /** The last run of the timer, and the last pause if there has been any. */
    private record Span(long lastRun, boolean any, long from, long to) {}

    PauseDetector(long nowNanos) {
        last = new Span(nowNanos, false, 0, 0);
    }

    /** Records a run of the timer. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread runs the timer
    void onTimer(long nowNanos) {
        Span before = last;
        if (isOverdue(before, nowNanos)) {
            count++;
            last = new Span(nowNanos, true, before.lastRun, nowNanos);
        } else {
            last = new Span(nowNanos, before.any, before.from, before.to);
        }
    }

    private static boolean isOverdue(Span before, long nowNanos) {
        return nowNanos - before.lastRun > PERIOD_NANOS + LATE_NANOS;
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
