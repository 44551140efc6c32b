package dev.levee.ratelimit.concurrency;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Requests and accepts of a window of time, in twelve buckets of two words each.
 *
 * <pre>{@code
 * bit   63                       40 39                          0
 *      +---------------------------+-----------------------------+
 *      |  period (lowest 24 bits)  |  count (0 to 2^40 - 1)      |
 *      +---------------------------+-----------------------------+
 * }</pre>
 *
 * <p>A period is a twelfth of the window; it has the bucket of its number modulo twelve. Each word says by itself of
 * which period it is, so a thread that counts replaces a count that is too old, and one that sums ignores it: nothing
 * moves the window. What belongs to a period that its bucket has left behind is not counted. Periods are compared by
 * difference; one that another thread has begun meanwhile counts.
 *
 * <p>Thread-safe, lock-free, allocates nothing.
 */
final class RollingCounts {
    static final int BUCKETS = 12;

    private static final int COUNT_BITS = 40;
    private static final long MAX_COUNT = (1L << COUNT_BITS) - 1;

    /** The word of requests of bucket b is at 2b, that of accepts at 2b + 1, with unused words on either side. */
    private static final int PADDING = 16;

    private final AtomicLongArray words = new AtomicLongArray(2 * BUCKETS + 2 * PADDING);

    /** Returns the period as words hold it, shifted to their highest bits. */
    private static long tag(long period) {
        return period << COUNT_BITS;
    }

    private static int index(long period) {
        return PADDING + 2 * (int) Math.floorMod(period, (long) BUCKETS);
    }

    void addRequest(long period) {
        increment(index(period), period);
    }

    void addAccept(long period) {
        increment(index(period) + 1, period);
    }

    private void increment(int index, long period) {
        long tag = tag(period);
        long seen = words.get(index);
        while (true) {
            long age = (tag - (seen & ~MAX_COUNT)) >> COUNT_BITS;
            long count = age == 0 ? (seen & MAX_COUNT) + 1 : 1;
            if (count > MAX_COUNT || age < 0) {
                return; // as many as there can be, or of a period that was replaced
            }
            long found = words.compareAndExchange(index, seen, tag | count);
            if (found == seen) {
                return;
            }
            seen = found;
        }
    }

    long requests(long period) {
        return sum(PADDING, period);
    }

    long accepts(long period) {
        return sum(PADDING + 1, period);
    }

    private long sum(int first, long period) {
        long tag = tag(period);
        long sum = 0;
        for (int index = first; index < first + 2 * BUCKETS; index += 2) {
            long word = words.getOpaque(index); // opaque: a word says all by itself, and is old in any mode
            long age = (tag - (word & ~MAX_COUNT)) >> COUNT_BITS;
            if (age > -BUCKETS && age < BUCKETS) {
                sum += word & MAX_COUNT;
            }
        }
        return sum;
    }
}
