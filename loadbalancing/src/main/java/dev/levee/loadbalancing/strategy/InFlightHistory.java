package dev.levee.loadbalancing.strategy;

import java.util.Arrays;

/**
 * Keeps the requests in flight of the last 64 answers, for a quantile of them. Not thread-safe; allocates nothing when
 * used.
 */
final class InFlightHistory {
    static final int SIZE = 64;

    /** In the order in which they came, as a ring. */
    private final int[] recent = new int[SIZE];

    /** The same numbers in their order. */
    private final int[] sorted = new int[SIZE];

    /** How many came; once the ring is full, the next place in it and the size. */
    private int seen;

    void add(int inFlight) {
        int size = size();
        if (size == SIZE) {
            int gone = Arrays.binarySearch(sorted, 0, size, recent[seen % SIZE]);
            System.arraycopy(sorted, gone + 1, sorted, gone, size - gone - 1);
            size--;
        }
        int found = Arrays.binarySearch(sorted, 0, size, inFlight);
        int at = found < 0 ? -found - 1 : found;
        System.arraycopy(sorted, at, sorted, at + 1, size - at);
        sorted[at] = inFlight;
        recent[seen % SIZE] = inFlight;
        seen = seen + 1 < 2 * SIZE ? seen + 1 : SIZE;
    }

    private int size() {
        return Math.min(seen, SIZE);
    }

    /** Returns the quantile by the nearest rank, for a quantile above 0; there must be a number. */
    int quantile(double quantile) {
        return sorted[(int) Math.ceil(quantile * size()) - 1];
    }
}
