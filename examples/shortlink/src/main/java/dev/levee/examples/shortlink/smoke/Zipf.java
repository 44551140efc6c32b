package dev.levee.examples.shortlink.smoke;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Draws ranks as real visitors do: rank k with a probability proportional to 1/k (George Kingsley Zipf, Human Behavior
 * and the Principle of Least Effort, 1949; for web requests Breslau and others, Web Caching and Zipf-like
 * Distributions, 1999).
 */
final class Zipf {
    private final double[] cumulative;

    /** Ranks from 0 to {@code size - 1}. */
    Zipf(int size) {
        cumulative = new double[size];
        double sum = 0;
        for (int rank = 0; rank < size; rank++) {
            sum += 1.0 / (rank + 1);
            cumulative[rank] = sum;
        }
    }

    int draw(RandomGenerator random) {
        double point = random.nextDouble() * cumulative[cumulative.length - 1];
        int index = Arrays.binarySearch(cumulative, point);
        return index >= 0 ? index : -index - 1;
    }
}
