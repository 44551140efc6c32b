package dev.levee.loadbalancing.strategy;

/** Converts times to 32 bits, in units of 65.5 microseconds, which wrap after 78 hours. */
final class CoarseTime {
    /** The length of a unit in nanoseconds, a power of two. */
    static final long UNIT_NANOS = 1L << 16;

    /**
     * A time that is at most this many units (10 hours) before another counts as the same, and every other one as
     * later.
     */
    private static final int BACKWARDS = 1 << 29;

    /** Up to here the series ends with its second member, which is where busy endpoints are. */
    private static final double SHORT = 1e-4;

    private CoarseTime() {}

    /** Returns the unit that a time in nanoseconds lies in. */
    static int at(long nanos) {
        return (int) (nanos >> 16);
    }

    /** Returns how many units lie between, 0 if the time went backwards. */
    static long between(int from, int to) {
        int difference = to - from;
        return difference < 0 && difference > -BACKWARDS ? 0 : Integer.toUnsignedLong(difference);
    }

    /**
     * Returns e to the power of -x, for x from 0, to seven digits: the next power of two by its bits, the rest by its
     * series.
     */
    static double decay(double x) {
        if (x < SHORT) {
            return 1 - x;
        }
        double halvings = x * 1.4426950408889634; // 1 / ln 2
        if (!(halvings < 1_000)) {
            return 0;
        }
        int whole = (int) (halvings + 0.5);
        double z = (whole - halvings) * 0.6931471805599453; // from -0.35 to 0.35
        double rest = 1 + z * (1 + z * (1 / 2.0 + z * (1 / 6.0 + z * (1 / 24.0 + z * (1 / 120.0 + z * (1 / 720.0))))));
        return rest * Double.longBitsToDouble((1023L - whole) << 52);
    }
}
