package dev.levee.circuitbreaker;

import org.jspecify.annotations.Nullable;

/** The outcomes that a closed breaker judges. Belongs to one epoch: the next one begins with an empty window. */
abstract class Window {
    /** Bits of an outcome; a quick success is 0. */
    static final int FAILED = 1;

    static final int SLOW = 2;

    /**
     * Takes an outcome in.
     *
     * @return the counts if they are over the limits now, else null; nothing is allocated then
     */
    abstract @Nullable Tally record(int outcome, long endNanos);

    abstract Tally tally(long nowNanos);

    /** Why counts that {@link #record} returned open the breaker. */
    abstract String explain(Tally tally);
}
