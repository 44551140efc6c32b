package dev.levee.ratelimit.concurrency;

/**
 * What was seen of the calls that ended in a time, for a {@link LimitEstimator}. One object for all windows of a
 * bulkhead; used by one thread at a time.
 */
final class LimitWindow {
    private final WindowLatencies latencies = new WindowLatencies();

    /** Calls that were looked at stand for others: how many in all. */
    private double calls;

    /** How many of {@link #calls} did what they were called for. */
    private double successes;

    private double weightedInFlight;
    private int maxInFlight;
    private int drops;
    private boolean refused;
    private double seconds;

    void add(long rttNanos, int inFlight, double weight) {
        latencies.add(rttNanos);
        weightedInFlight += inFlight;
        maxInFlight = Math.max(maxInFlight, inFlight);
        calls += weight;
    }

    void addSuccess(double weight) {
        successes += weight;
    }

    void addDrop() {
        drops++;
    }

    void end(double lastedSeconds, boolean wasRefused) {
        seconds = lastedSeconds;
        refused = wasRefused;
    }

    void clear() {
        latencies.clear();
        calls = 0;
        successes = 0;
        weightedInFlight = 0;
        maxInFlight = 0;
        drops = 0;
        refused = false;
    }

    /** How many calls were looked at. */
    long samples() {
        return latencies.count();
    }

    /** How long calls took in the middle, in nanoseconds; not a number without samples. */
    double middleNanos() {
        return latencies.middle();
    }

    /** How long calls took in the mean, in nanoseconds; not a number without samples. */
    double meanNanos() {
        return latencies.mean();
    }

    /** How many calls were in flight when one ended, with it, in the mean. */
    double meanInFlight() {
        return weightedInFlight / Math.max(1, latencies.count());
    }

    /** The most calls that were in flight when one ended, with it. */
    int maxInFlight() {
        return maxInFlight;
    }

    /** Calls that did what they were called for, a second. */
    double goodput() {
        return successes / seconds;
    }

    int drops() {
        return drops;
    }

    /** The share of calls that were dropped. */
    double dropShare() {
        return drops / Math.max(calls, drops);
    }

    /** Whether a call was refused. */
    boolean refused() {
        return refused;
    }
}
