package dev.levee.simulator;

/**
 * A histogram of times with 128 buckets to each doubling (as in Gil Tene's HdrHistogram, 2012): a percentile is right
 * to 0.8 %, and is interpolated inside of its bucket.
 */
public final class Latencies {
    private static final int BITS = 7;
    private static final int PER_DOUBLING = 1 << BITS;

    private final long[] buckets = new long[(65 - BITS) * PER_DOUBLING];
    private long count;
    private double sum;

    /** Adds one, in nanoseconds. */
    public void add(long nanos) {
        long value = Math.max(nanos, 0);
        buckets[bucketOf(value)]++;
        count++;
        sum += value;
    }

    private static int bucketOf(long value) {
        if (value < PER_DOUBLING) {
            return (int) value;
        }
        int shift = 63 - Long.numberOfLeadingZeros(value) - BITS;
        return shift * PER_DOUBLING + (int) (value >>> shift);
    }

    private static double lowerEdge(int bucket) {
        if (bucket < PER_DOUBLING) {
            return bucket;
        }
        int shift = bucket / PER_DOUBLING - 1;
        return Math.scalb((double) (bucket % PER_DOUBLING + PER_DOUBLING), shift);
    }

    /** How many there are. */
    public long count() {
        return count;
    }

    /** Their mean in milliseconds; not a number without any. */
    public double meanMillis() {
        return sum / count / 1e6;
    }

    /** A quantile, from 0 to 1, in milliseconds; not a number without any. */
    public double quantileMillis(double quantile) {
        if (count == 0) {
            return Double.NaN;
        }
        double rank = quantile * count;
        double before = 0;
        for (int i = 0; i < buckets.length; i++) {
            if (before + buckets[i] >= rank && buckets[i] > 0) {
                double share = Math.max(0, (rank - before) / buckets[i]);
                return (lowerEdge(i) + share * (lowerEdge(i + 1) - lowerEdge(i))) / 1e6;
            }
            before += buckets[i];
        }
        return lowerEdge(buckets.length - 1) / 1e6;
    }
}
