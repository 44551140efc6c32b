package dev.levee.loadbalancing.strategy;

import java.util.Arrays;

/**
 * Draws an index in proportion to weight from one random number, with two reads (Michael D. Vose, A Linear Algorithm for Generating
 * Random Numbers with a Given Distribution, 1991).
 */
final class AliasTable {
    private final double[] keep;
    private final int[] alias;

    AliasTable(double[] weights) {
        int size = weights.length;
        double total = Arrays.stream(weights).sum();
        keep = new double[size];
        alias = new int[size];
        int[] queue = new int[size]; // those below the mean from the left, the others from the right
        int small = 0;
        int large = size;
        for (int i = 0; i < size; i++) {
            keep[i] = weights[i] / total * size;
            alias[i] = i;
            queue[keep[i] < 1.0 ? small++ : --large] = i;
        }
        while (small > 0 && large < size) {
            int poor = queue[--small];
            int rich = queue[large];
            alias[poor] = rich;
            keep[rich] -= 1.0 - keep[poor];
            if (keep[rich] < 1.0) {
                large++;
                queue[small++] = rich;
            }
        }
        // What is left is 1 but for rounding.
        while (small > 0) {
            keep[queue[--small]] = 1.0;
        }
        while (large < size) {
            keep[queue[large++]] = 1.0;
        }
    }

    int draw(long random) {
        // The upper half chooses the column, the lower half whether to stay in it.
        int column = (int) (((random >>> 32) * keep.length) >>> 32);
        return (random & 0xFFFFFFFFL) * 0x1p-32 < keep[column] ? column : alias[column];
    }
}
