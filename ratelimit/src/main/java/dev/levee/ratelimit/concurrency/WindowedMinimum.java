package dev.levee.ratelimit.concurrency;

import java.util.Arrays;

/** The least of the last values. */
final class WindowedMinimum {
    private final double[] values;
    private int next;

    WindowedMinimum(int size) {
        values = new double[size];
        clear();
    }

    /** Adds a value in place of the oldest, and returns the least. */
    double add(double value) {
        values[next] = value;
        next = (next + 1) % values.length;
        double least = value;
        for (double one : values) {
            least = Math.min(least, one);
        }
        return least;
    }

    void clear() {
        Arrays.fill(values, Double.POSITIVE_INFINITY);
    }
}
