package dev.levee.loadbalancing;

/**
 * Notices that this process itself stood still, by a tick that came late: what calls made of such a time says nothing about servers.
 *
 * <p>A pause began some time after the last tick that came in time, so everything from there to the late tick is doubtful. Calls may
 * end before the late tick has run; they see that it is overdue. One thread ticks, any thread asks.
 */
final class PauseDetector {
    static final long PERIOD_NANOS = 100_000_000L;
    static final long LATE_NANOS = 100_000_000L;

    private volatile Span last;
    private volatile long count;

    private record Span(long tick, boolean any, long from, long to) {}

    PauseDetector(long nowNanos) {
        last = new Span(nowNanos, false, 0, 0);
    }

    /** The timer has run. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread ticks
    void tick(long nowNanos) {
        Span before = last;
        if (isOverdue(before, nowNanos)) {
            count++;
            last = new Span(nowNanos, true, before.tick, nowNanos);
        } else {
            last = new Span(nowNanos, before.any, before.from, before.to);
        }
    }

    private static boolean isOverdue(Span before, long nowNanos) {
        return nowNanos - before.tick > PERIOD_NANOS + LATE_NANOS;
    }

    /** Whether the process may have stood still between these moments. */
    boolean overlap(long startNanos, long endNanos) {
        Span now = last;
        if (isOverdue(now, endNanos)) {
            return true;
        }
        return now.any && startNanos - now.to < 0 && endNanos - now.from > 0;
    }

    long count() {
        return count;
    }
}
