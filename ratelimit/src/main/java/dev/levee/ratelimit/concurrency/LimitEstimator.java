package dev.levee.ratelimit.concurrency;

/** The state of a {@link ConcurrencyLimit} in one bulkhead. Used by one thread at a time; see {@link LimitLearner}. */
interface LimitEstimator {
    /** How long calls are gathered for {@link #update}, in nanoseconds; 0 for one call at a time. */
    long windowNanos();

    /** How many calls may be in flight now. */
    double limit();

    /** Goes on within other bounds, from the limit that is the nearest. */
    void bound(LimitBounds bounds);

    /** Learns from the calls of a window, which may have drops and no latency: of many calls only some are timed. */
    void update(LimitWindow window);

    /** Learns at once that a call was dropped; it is in its window, too. */
    default void dropped() {}

    /** Whether the latency of a call that was dropped soon is worth as much as any other. */
    default boolean timesDrops() {
        return true;
    }

    /** How long calls take without a queue, in nanoseconds, as far as it is known; else 0. */
    default double baselineNanos() {
        return 0;
    }
}
