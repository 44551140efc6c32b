package dev.levee.loadbalancing.strategy;

/**
 * What a call takes at a typical endpoint of one set; shared by the picker of the set and the trackers of its
 * endpoints.
 */
final class TypicalLatency {
    /** The time between two measurements in units of {@link CoarseTime}: 2^27 ns, an eighth of a second. */
    private static final int PERIOD = 1 << (27 - 16);

    private volatile double nanos;
    private volatile double floor;
    private volatile int polledAt;

    /** Returns the median latency of those that have been measured; 0 if none has. */
    double nanos() {
        return nanos;
    }

    /**
     * Returns what the estimate of a slow endpoint decays to by time alone: the median, if it is that of several; else
     * 0.
     */
    double floor() {
        return floor;
    }

    /** Returns whether the last poll was long ago, or lies too far ahead, as with a clock that went back. */
    boolean isOld(int now) {
        int passed = now - polledAt;
        return passed >= PERIOD || passed <= -PERIOD;
    }

    void polledAt(int now) {
        polledAt = now;
    }

    void set(double median, boolean ofSeveral) {
        nanos = median;
        floor = ofSeveral ? median : 0;
    }

    /** Takes the first latency that is measured, until there is a median. */
    void first(double took) {
        if (nanos == 0) {
            nanos = took;
        }
    }
}
