package dev.levee.ratelimit.shared;

/** How many permits are worth taking ahead: as many as are used in half the life of a lease. Under the lock. */
final class LeaseSize {
    private static final int PARTS_OF_LIFE = 16;

    private long lastNanos;
    private double size;

    LeaseSize(long nowNanos) {
        lastNanos = nowNanos;
    }

    /** Learns how many permits were used since the last time, and returns the size. */
    long next(long used, long lifeNanos, long nowNanos) {
        double pace = (double) used / Math.max(nowNanos - lastNanos, Math.max(1, lifeNanos / PARTS_OF_LIFE));
        double worth = pace * (lifeNanos / 2.0);
        size = worth > size ? Math.min(worth, 2 * size + 2) : (size + worth) / 2;
        lastNanos = nowNanos;
        return (long) size;
    }
}
