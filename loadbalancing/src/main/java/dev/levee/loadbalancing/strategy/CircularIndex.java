package dev.levee.loadbalancing.strategy;

/**
 * Reduces a counter that goes up by one to an index that goes round: by two multiplications, without a division and without a jump
 * where the counter wraps.
 *
 * <p>A turn is a step of 1/size round the circle of all longs, and the index is where on it one stands, so that 2^64 is no place like
 * another. Since the size may not divide 2^64 the steps are too long by a part of it; one index comes twice in a row for that reason
 * every 2^64/size^2 rounds or so.
 */
final class CircularIndex {
    private final long step;
    private final long start;
    private final int size;

    CircularIndex(int size) {
        this.size = size;
        // 2^64/size, rounded up; for size 1 every place is index 0.
        this.step = Long.divideUnsigned(-1L, size) + 1;
        // Well inside the first part of the circle, and nowhere near its edge after any power of two turns.
        this.start = (step >>> 1) + (step >>> 3) - (step >>> 7);
    }

    int index(long turn) {
        long place = turn * step + start;
        return (int) (Math.multiplyHigh(place, size) + (place >> 63 & size));
    }
}
