package dev.levee.simulator;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Keys of which the k-th is drawn in proportion to {@code k^-s} (George K. Zipf's law), from a table of sums. */
public final class Zipf {
    private final double[] sums;

    /** That many keys with that exponent. */
    public Zipf(int keys, double exponent) {
        sums = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            sum += Math.pow(i + 1, -exponent);
            sums[i] = sum;
        }
    }

    /** A key, from 0; the lower, the more often. */
    public int draw(RandomGenerator random) {
        int found = Arrays.binarySearch(sums, random.nextDouble() * sums[sums.length - 1]);
        return Math.min(found < 0 ? -found - 1 : found, sums.length - 1);
    }

    /** The share of a key. */
    public double share(int key) {
        return (sums[key] - (key == 0 ? 0 : sums[key - 1])) / sums[sums.length - 1];
    }
}
