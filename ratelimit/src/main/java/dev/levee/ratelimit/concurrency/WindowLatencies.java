package dev.levee.ratelimit.concurrency;

import java.util.Arrays;

/**
 * Counts of latencies in buckets whose width grows with the latency: sixteen to each doubling, as in Gil Tene's
 * HdrHistogram (2012). Not thread-safe.
 */
final class WindowLatencies {
    private static final int BITS = 4;
    private static final int PER_DOUBLING = 1 << BITS;
    private static final int BUCKETS = (64 - BITS) * PER_DOUBLING;

    private final int[] counts = new int[BUCKETS];
    private int lowest = BUCKETS;
    private int highest = -1;
    private long count;
    private double sum;

    void add(long nanos) {
        int bucket = bucketOf(nanos);
        counts[bucket]++;
        lowest = Math.min(lowest, bucket);
        highest = Math.max(highest, bucket);
        count++;
        sum += nanos;
    }

    private static int bucketOf(long nanos) {
        if (nanos < PER_DOUBLING) {
            return (int) Math.max(nanos, 0);
        }
        int shift = 63 - Long.numberOfLeadingZeros(nanos) - BITS;
        return shift * PER_DOUBLING + (int) (nanos >>> shift);
    }

    private static double middleOf(int bucket) {
        if (bucket < PER_DOUBLING) {
            return Math.max(bucket, 0.5);
        }
        int shift = bucket / PER_DOUBLING - 1;
        return Math.scalb(bucket % PER_DOUBLING + PER_DOUBLING + 0.5, shift);
    }

    long count() {
        return count;
    }

    /** The mean; not a number without any. */
    double mean() {
        return sum / count;
    }

    /**
     * The geometric mean of the middle half: as little moved by the tail as the median, but it does not jump between
     * the modes where the median lies between them, as with a cache that half of the calls hit. Not a number without
     * any.
     */
    double middle() {
        double from = count / 4.0;
        double to = count - from;
        double before = 0;
        double logarithms = 0;
        for (int bucket = lowest; bucket <= highest; bucket++) {
            double after = before + counts[bucket];
            double within = Math.min(after, to) - Math.max(before, from);
            if (within > 0) {
                logarithms += within * Math.log(middleOf(bucket));
            }
            before = after;
        }
        return Math.exp(logarithms / (to - from));
    }

    void clear() {
        if (highest >= 0) {
            Arrays.fill(counts, lowest, highest + 1, 0);
        }
        lowest = BUCKETS;
        highest = -1;
        count = 0;
        sum = 0;
    }
}
