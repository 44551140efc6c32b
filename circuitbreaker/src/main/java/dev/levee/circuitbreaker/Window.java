package dev.levee.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * The outcomes that a closed breaker judges. The next epoch begins with an empty window; only a change of the
 * configuration keeps it, which is why the limits are not part of it.
 */
abstract class Window {
    /** A bit of an outcome; a success that is not slow is 0. */
    static final int FAILED = 1;

    static final int SLOW = 2;

    /**
     * Records an outcome.
     *
     * @param limits those of all outcomes before, or {@link #judge} must be called as well
     * @return the counts if they are over the limits now, else null; nothing is allocated then
     */
    abstract @Nullable Counts record(int outcome, long endNanos, Thresholds limits);

    /**
     * Returns the counts if they are over the limits now, else null; to be called once when the limits have changed.
     */
    @Nullable Counts judge(long nowNanos, Thresholds limits) {
        Counts tally = tally(nowNanos);
        return limits.exceededBy(tally.calls(), tally.failures(), tally.slow()) ? tally : null;
    }

    /** Returns the counts at a time. */
    abstract Counts tally(long nowNanos);

    /** Says why counts that {@link #record} returned open the breaker. */
    String explain(Counts tally, Thresholds limits) {
        return limits.explain(tally);
    }
}
