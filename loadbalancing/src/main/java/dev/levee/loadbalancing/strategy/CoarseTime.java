package dev.levee.loadbalancing.strategy;

/** Time in 32 bits, in steps of 65 microseconds, which come round after 78 hours. */
final class CoarseTime {
    /** The length of a tick in nanoseconds. */
    static final long NANOS = 1L << 16;

    /** A time that is up to so many ticks (10 hours) before another is taken for the same, and everything else for later. */
    private static final int BACKWARDS = 1 << 29;

    /** Up to here the series ends with its second member, which is where busy endpoints are. */
    private static final double SHORT = 1e-4;

    private CoarseTime() {}

    static int at(long nanos) {
        return (int) (nanos >> 16);
    }

    /** How many ticks lie between, 0 if the time went backwards. */
    static long between(int from, int to) {
        int difference = to - from;
        return difference < 0 && difference > -BACKWARDS ? 0 : Integer.toUnsignedLong(difference);
    }

    /** e to the power of minus x, for x from 0, to seven digits: the next power of two by its bits, the rest by its series. */
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
