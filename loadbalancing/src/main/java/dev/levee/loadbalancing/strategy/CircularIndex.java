package dev.levee.loadbalancing.strategy;

/**
 * Reduces a counter that goes up by one to an index that goes round: by two multiplications, without a division and
 * without a jump where the counter wraps.
 *
 * <p>The unsigned longs are a circle, cut into one arc for each index. A turn is a step of 1/size round the circle, and
 * the index is that of the arc in which the step ends; so 2^64, where the counter wraps, is a place like any other:
 *
 * <pre>
 *   0                                                          2^64 = 0
 *   |----- index 0 -----|----- index 1 -----|----- index 2 -----|
 *               ^                   ^                   ^
 *          turns 0, 3, 6 ..    turns 1, 4, 7 ..    turns 2, 5, 8 ..
 * </pre>
 *
 * <p>Since the size may not divide 2^64, the steps are too long by a part of it; for that reason one index comes twice
 * in a row about every 2^64/size^2 rounds. See ADR 52.
 */
final class CircularIndex {
    private final long step;
    private final long start;
    private final int size;

    CircularIndex(int size) {
        this.size = size;
        // 2^64/size, rounded up; for size 1 every place is index 0.
        this.step = Long.divideUnsigned(-1L, size) + 1;
        // Well within the first arc of the circle, and nowhere near its edge after any power of two turns.
        this.start = (step >>> 1) + (step >>> 3) - (step >>> 7);
    }

    /** Returns the index for a turn; any long is a turn. */
    int index(long turn) {
        long place = turn * step + start;
        return (int) (Math.multiplyHigh(place, size) + (place >> 63 & size));
    }
}
