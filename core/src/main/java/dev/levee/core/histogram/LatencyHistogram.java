package dev.levee.core.histogram;

import dev.levee.core.internal.Require;
import java.util.Arrays;

/**
 * Durations, counted in buckets that grow with the duration, so that every quantile is known to within
 * {@value #MAX_RELATIVE_ERROR} of itself.
 *
 * <p>It is a holder: make one, let a {@link Source} fill it as often as you like, and ask it. For the figures of an
 * interval keep the one before and {@link #subtract} it. Not thread-safe. Reading a source allocates nothing.
 *
 * <p><b>Buckets.</b> Each power of two is divided into 16 buckets of equal width, from 1 ns to 2^40 ns (18 minutes);
 * what is longer is in a last one without a bound. So a bucket is at most 1/16 as wide as its durations are long, and
 * its middle at most 1/32 away; up to 32 ns it is exact. It takes 4.9 kB, whatever it counts. The idea is that of Gil
 * Tene, "HdrHistogram" (2012), and of OpenTelemetry's exponential histogram at scale 4 ("Metrics Data Model", 2022),
 * whose buckets are of equal ratio instead of equal width within a power of two. See ADR 118.
 *
 * <p><b>Bounds for export.</b> A monitoring system needs few bounds that never change, so that the counts of several
 * processes can be added: there are {@link #bounds()} of them, two for each power of two from 2^14 ns (16 µs) to 2^36
 * ns (69 s). Their counts are exact, because each bound is the edge of a bucket.
 *
 * <pre>{@code
 * LatencyHistogram now = new LatencyHistogram();
 * meter.successes().read(now);
 * for (int i = 0; i < LatencyHistogram.bounds(); i++) {
 *     export(LatencyHistogram.boundNanos(i), now.countUpTo(i)); // le, cumulative
 * }
 * export(Double.POSITIVE_INFINITY, now.count());
 * }</pre>
 *
 * @since 0.1
 */
public final class LatencyHistogram {
    /**
     * How far a quantile, or a sum made of buckets, is off at most, as a share of itself: 1/32, for durations up to 18
     * minutes.
     */
    public static final double MAX_RELATIVE_ERROR = 1.0 / 32;

    /** Each power of two has as many buckets as 2 to the power of this. */
    private static final int PRECISION = 4;

    /** The durations from here on, in nanoseconds, are in the last bucket: 2 to the power of this. */
    private static final int MAX_POWER_NANOS = 40;

    /** How many buckets there are. */
    static final int BUCKETS = ((MAX_POWER_NANOS - PRECISION + 1) << PRECISION) + 1;

    /** The first bound for export: 2 to the power of this, in nanoseconds. */
    private static final int MIN_BOUND_POWER_NANOS = 14;

    private static final int BOUNDS = 2 * (36 - MIN_BOUND_POWER_NANOS) + 1;

    private final long[] counts = new long[BUCKETS];
    private long count;
    private long sumNanos;

    /** Makes an empty histogram. */
    public LatencyHistogram() {}

    /**
     * A histogram that is being counted, and may be read at any time.
     *
     * @since 0.1
     */
    @FunctionalInterface
    public interface Source {
        /**
         * Puts the counts since the beginning into a histogram, in place of what it held. Thread-safe; does not block,
         * does not allocate. Counts never fall from one reading to the next.
         *
         * @param into where the counts go
         * @throws NullPointerException if {@code into} is null
         */
        void read(LatencyHistogram into);
    }

    /**
     * Returns how many bounds there are for export.
     *
     * @return 45
     */
    public static int bounds() {
        return BOUNDS;
    }

    /**
     * Returns a bound for export.
     *
     * @param index from 0 to {@link #bounds()} - 1
     * @return the bound in nanoseconds, inclusive; grows with the index
     * @throws IllegalArgumentException if there is no such bound
     */
    public static long boundNanos(int index) {
        Require.range("index", index, 0, BOUNDS - 1);
        long power = 1L << (MIN_BOUND_POWER_NANOS + index / 2);
        return (index & 1) == 0 ? power : power + power / 2;
    }

    /**
     * Returns how many durations were as long as a bound for export, or shorter.
     *
     * @param index from 0 to {@link #bounds()} - 1
     * @return the cumulative count; the last bound is less than {@link #count} if longer durations were counted
     * @throws IllegalArgumentException if there is no such bound
     */
    public long countUpTo(int index) {
        int last = bucket(boundNanos(index));
        long sum = 0;
        for (int i = 0; i <= last; i++) {
            sum += counts[i];
        }
        return sum;
    }

    /**
     * Returns how many durations were counted.
     *
     * @return from 0
     */
    public long count() {
        return count;
    }

    /**
     * Returns the sum of all durations.
     *
     * @return nanoseconds
     */
    public long sumNanos() {
        return sumNanos;
    }

    /**
     * Returns a duration that a share of all durations does not exceed.
     *
     * @param share from 0 to 1, such as 0.99
     * @return nanoseconds: the middle of the bucket that the quantile is in, 2^40 if it is in the last one; 0 if nothing
     *     was counted
     * @throws IllegalArgumentException if {@code share} is not from 0 to 1
     */
    public long quantileNanos(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be from 0 to 1, but was " + share);
        }
        if (count == 0) {
            return 0;
        }
        long rank = Math.max(1, (long) Math.ceil(share * count));
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts[i];
            if (seen >= rank) {
                return middleNanos(i);
            }
        }
        return middleNanos(BUCKETS - 1);
    }

    /**
     * Takes away what an earlier reading of the same source held, so that the rest is what was counted since.
     *
     * @param earlier the earlier reading
     * @throws NullPointerException if {@code earlier} is null
     */
    public void subtract(LatencyHistogram earlier) {
        Require.nonNull("earlier", earlier);
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] -= earlier.counts[i];
        }
        count -= earlier.count;
        sumNanos -= earlier.sumNanos;
    }

    /**
     * Adds what another histogram holds.
     *
     * @param other the other
     * @throws NullPointerException if {@code other} is null
     */
    public void add(LatencyHistogram other) {
        Require.nonNull("other", other);
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] += other.counts[i];
        }
        count += other.count;
        sumNanos += other.sumNanos;
    }

    /** Forgets everything. */
    public void clear() {
        Arrays.fill(counts, 0);
        count = 0;
        sumNanos = 0;
    }

    /**
     * Counts one duration.
     *
     * @param nanos the duration in nanoseconds; one that is negative counts as 0
     */
    public void record(long nanos) {
        addBucket(bucket(nanos), 1);
        addSum(Math.max(nanos, 0));
    }

    /**
     * Adds to the count of a bucket. For sources.
     *
     * @param bucket as {@link #bucket} returned it
     * @param more how many durations
     */
    public void addBucket(int bucket, long more) {
        counts[bucket] += more;
        count += more;
    }

    /**
     * Adds to the sum. For sources.
     *
     * @param nanos nanoseconds
     */
    public void addSum(long nanos) {
        sumNanos += nanos;
    }

    /**
     * Returns how many buckets there are. For sources.
     *
     * @return the number
     */
    public static int buckets() {
        return BUCKETS;
    }

    /**
     * Returns the bucket of a duration: its upper edge belongs to it. For sources.
     *
     * @param nanos the duration in nanoseconds; one that is negative counts as 0
     * @return from 0 to {@link #buckets()} - 1
     */
    public static int bucket(long nanos) {
        if (nanos > 1L << MAX_POWER_NANOS) {
            return BUCKETS - 1;
        }
        // One less, so that the bucket of 2^k is the last one below that edge, and bounds are inclusive.
        long value = Math.max(nanos - 1, 0);
        int shift = Math.max(0, 63 - PRECISION - Long.numberOfLeadingZeros(value | 1L << PRECISION));
        return (shift << PRECISION) + (int) (value >> shift);
    }

    private static long middleNanos(int bucket) {
        if (bucket == BUCKETS - 1) {
            return 1L << MAX_POWER_NANOS;
        }
        int shift = Math.max(0, (bucket >> PRECISION) - 1);
        long low = (bucket - ((long) shift << PRECISION)) << shift; // exclusive
        return low + 1 + ((1L << shift) - 1) / 2;
    }

    @Override
    public String toString() {
        return count + " durations, p50 " + quantileNanos(0.5) + " ns, p99 " + quantileNanos(0.99) + " ns";
    }
}
