package dev.levee.benchmarks.limits;

import java.util.Arrays;
import java.util.Random;

/** Addresses drawn by a Zipf law with exponent 1, in an order that is drawn once. */
final class ZipfKeys {
    private static final int DRAWS = 1 << 20;

    private final String[] drawn = new String[DRAWS];

    ZipfKeys(int keys) {
        String[] names = new String[keys];
        double[] sums = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++) {
            names[i] = "10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255);
            sum += 1.0 / (i + 1);
            sums[i] = sum;
        }
        Random random = new Random(42);
        for (int i = 0; i < DRAWS; i++) {
            int at = Arrays.binarySearch(sums, random.nextDouble() * sum);
            drawn[i] = names[at < 0 ? -at - 1 : at];
        }
    }

    String get(int index) {
        return drawn[index & DRAWS - 1];
    }
}
