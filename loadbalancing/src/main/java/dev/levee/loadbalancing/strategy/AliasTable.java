package dev.levee.loadbalancing.strategy;

import java.util.Arrays;

/**
 * Draws an index in proportion to weight from one random number, with two reads (Michael D. Vose, A Linear Algorithm
 * for Generating Random Numbers with a Given Distribution, IEEE Transactions on Software Engineering 17, 1991).
 *
 * <p>The table has a column for each index, and all columns are equally likely. A column belongs to its own index up to
 * the height {@code keep}, and above that to one other index, {@code alias}:
 *
 * <pre>
 *   weights 5, 2, 1                 keep    alias
 *   1 +-----+-----+-----+    a      1       a
 *     |  a  |  a  |  a  |    b      0.75    a
 *     |  a  |-----|  a  |    c      0.375   a
 *     |  a  |  b  |-----|
 *     |  a  |  b  |  c  |
 *   0 +-----+-----+-----+
 *        a     b     c
 * </pre>
 *
 * <p>Invariants: every column is filled to the height 1, and the area of an index in all columns, divided by their
 * number, is its share of all weights.
 *
 * @see <a href="https://doi.org/10.1109/32.92917">Vose 1991</a>
 */
final class AliasTable {
    private final double[] keep;
    private final int[] alias;

    AliasTable(double[] weights) {
        int size = weights.length;
        double total = Arrays.stream(weights).sum();
        keep = new double[size];
        alias = new int[size];
        // Those below the mean are queued from the left, the others from the right.
        int[] queue = new int[size];
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

    /** Returns the index that a random number, evenly spread over all longs, stands for. */
    int draw(long random) {
        // The upper half chooses the column, the lower half whether to stay in it.
        int column = (int) (((random >>> 32) * keep.length) >>> 32);
        return (random & 0xFFFFFFFFL) * 0x1p-32 < keep[column] ? column : alias[column];
    }
}
