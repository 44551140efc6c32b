package dev.levee.circuitbreaker;

/**
 * When counts are over the limit.
 *
 * <p>A count is divided and then compared: {@code 7 / 100.0 >= 0.07} holds, {@code 7 >= 100 * 0.07} does not.
 */
final class Thresholds {
    /** No rate reaches it. */
    static final double OFF = Double.POSITIVE_INFINITY;

    static final Thresholds NONE = new Thresholds(OFF, OFF, Long.MAX_VALUE);

    final double failureRate;
    final double slowRate;
    final long minCalls;
    /** Fewer failures than this are never over the limit, however many calls there are. */
    final long leastFailures;

    final long leastSlow;

    Thresholds(double failureRate, double slowRate, long minCalls) {
        this.failureRate = failureRate;
        this.slowRate = slowRate;
        this.minCalls = minCalls;
        this.leastFailures = least(failureRate, minCalls);
        this.leastSlow = least(slowRate, minCalls);
    }

    /** The smallest share of some calls that reaches a rate. */
    static long least(double rate, long calls) {
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

    /** Whether counts as low as these are below the limits without knowing the number of calls. */
    boolean clearedBy(long failures, long slow) {
        return failures < leastFailures && slow < leastSlow;
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
