package dev.levee.loadbalancing.strategy;

/**
 * Packs the share of calls that failed recently at one endpoint into one word: a moving average by count, which halves
 * every two seconds. The functions compute words; {@link ProbedEndpoint} keeps the word.
 *
 * <pre>
 *   63                           32 31                            0
 *   +------------------------------+-------------------------------+
 *   |  share of failures, a float  |  time of the last outcome     |   0 for no failures
 *   |                              |  in units of 2^20 ns          |
 *   +------------------------------+-------------------------------+
 * </pre>
 */
final class FailureShare {
    static final long NO_FAILURES = 0;

    /** Exceeded by two failures in a row, and by a steady failure rate of 20 %. */
    private static final float FAILING = 0.2f;

    private static final float STEP = 1 / 8f;
    private static final float FORGOTTEN = 0.01f;
    private static final double HALF_LIFE_NANOS = 2e9;
    private static final int UNIT_BITS = 20;

    private FailureShare() {}

    /** Returns the word after one more outcome. */
    static long after(long word, boolean failed, long nowNanos) {
        if (word == NO_FAILURES && !failed) {
            return NO_FAILURES;
        }
        float share = share(word, nowNanos);
        share += ((failed ? 1 : 0) - share) * STEP;
        return share < FORGOTTEN ? NO_FAILURES : ((long) Float.floatToRawIntBits(share) << 32) | coarse(nowNanos);
    }

    /** Returns whether calls fail there: then neither its short latency nor its few requests in flight are merits. */
    static boolean isFailing(long word, long nowNanos) {
        return word != NO_FAILURES && share(word, nowNanos) > FAILING;
    }

    private static long coarse(long nanos) {
        return (nanos >>> UNIT_BITS) & 0xFFFFFFFFL;
    }

    private static float share(long word, long nowNanos) {
        if (word == NO_FAILURES) {
            return 0;
        }
        int elapsed = Math.max((int) coarse(nowNanos) - (int) word, 0);
        return (float) (Float.intBitsToFloat((int) (word >>> 32))
                * Math.exp(-Math.log(2) / HALF_LIFE_NANOS * (1 << UNIT_BITS) * elapsed));
    }
}
