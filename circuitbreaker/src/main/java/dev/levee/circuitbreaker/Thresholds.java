package dev.levee.circuitbreaker;

/**
 * The limits of rates, and the comparison of counts with them.
 *
 * <p>A count is divided and then compared: {@code 7 / 100.0 >= 0.07} holds, {@code 7 >= 100 * 0.07} does not.
 */
final class Thresholds {
    /** A limit that no rate reaches. */
    static final double OFF = Double.POSITIVE_INFINITY;

    static final Thresholds NONE = new Thresholds(OFF, OFF, Long.MAX_VALUE);

    final double failureRate;
    final double slowRate;
    final long minCalls;

    /** Fewer failures than this are never over the limit, however many calls there are. */
    final long minFailures;

    final long minSlow;

    Thresholds(double failureRate, double slowRate, long minCalls) {
        this.failureRate = failureRate;
        this.slowRate = slowRate;
        this.minCalls = minCalls;
        this.minFailures = minCount(failureRate, minCalls);
        this.minSlow = minCount(slowRate, minCalls);
    }

    /** Returns the smallest number of calls, out of some, that reaches a rate. */
    static long minCount(double rate, long calls) {
        if (rate == OFF) {
            return Long.MAX_VALUE;
        }
        long guess = (long) Math.ceil(rate * calls);
        while (guess > 0 && (guess - 1) / (double) calls >= rate) {
            guess--;
        }
        while (guess / (double) calls < rate) {
            guess++;
        }
        return guess;
    }

    /** Whether counts as low as these are below the limits, however many calls there are. */
    boolean clearedBy(long failures, long slow) {
        return failures < minFailures && slow < minSlow;
    }

    boolean exceededBy(long calls, long failures, long slow) {
        return calls >= minCalls && (failures / (double) calls >= failureRate || slow / (double) calls >= slowRate);
    }

    String explain(Counts tally) {
        if (tally.failureRate() >= failureRate) {
            return tally.failures() + " of " + tally.calls() + " calls failed, the limit is "
                    + Counts.percent(failureRate);
        }
        return tally.slow() + " of " + tally.calls() + " calls were slow, the limit is " + Counts.percent(slowRate);
    }
}
