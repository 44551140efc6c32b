package dev.levee.core.policy;

import dev.levee.core.internal.Require;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A percentile of recent latencies, answered in constant time.
 *
 * <p>A histogram with sixteen buckets to each doubling, as in Gil Tene's HdrHistogram (2012). Each copy is an array of
 * two halves:
 *
 * <pre>{@code
 * |<---------------- half 0 ---------------->|<---------------- half 1 ---------------->|
 * +----------+----------+-----+------+-------+----------+----------+-----+------+-------+
 * | bucket 0 | bucket 1 | ... | last | total | bucket 0 | bucket 1 | ... | last | total |
 * +----------+----------+-----+------+-------+----------+----------+-----+------+-------+
 *
 * bucket 0   up to 8192 ns           total   how many latencies this half holds
 * last       more than about 9 minutes
 * }</pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>The answer is the upper edge of the bucket in which the exact percentile (nearest rank) lies, so it is never
 *       less than the exact one and at most 1/16 more.
 *   <li>One half is young and is written; the other is old. The old half is cleared, and becomes the young one, after
 *       half a window, so the percentile is that of the last half to one window. One thread does so: the one whose
 *       compare-and-set moves {@code begun}.
 *   <li>Threads write to up to four copies. A latency that is recorded at the moment of the change may be counted in
 *       the wrong half, or lost.
 *   <li>An answer is of counts that nothing has cleared meanwhile: {@link #changesEnded} is read before them, and
 *       {@link #changesBegun} after them, and only if both are the same the answer is kept. Else the thread that clears
 *       finds it anew.
 *   <li>The answer is found anew with every latency at first, and with every 64th of a thread's copy later; reading it
 *       is one read.
 * </ul>
 *
 * <p>Allocates nothing after construction: 3.4 KB for each copy. See ADR 29.
 *
 * @see <a href="https://github.com/HdrHistogram/HdrHistogram">HdrHistogram</a>
 */
class LatencyWindow { // not final, for tests that stop a thread between its reads
    /** The answer while there are too few latencies. */
    static final long UNKNOWN = -1;

    private static final int LOWEST_BITS = 13;
    private static final int HIGHEST_BITS = 39;
    private static final int EDGES_BITS = 4;
    private static final int EDGES = 1 << EDGES_BITS;
    private static final int BUCKETS = 1 + (HIGHEST_BITS - LOWEST_BITS) * EDGES;
    /** The length of a half: the buckets, and behind them how many latencies they hold. */
    private static final int HALF = BUCKETS + 1;

    private static final int MAX_COPIES = 4;
    private static final int FEW = 256;
    private static final int SELDOM = 64;

    private final double percentile;
    private final int minSamples;
    private final long halfNanos;
    private final AtomicIntegerArray[] copies;
    private final AtomicLong begun;
    private final AtomicInteger changesBegun = new AtomicInteger();
    private final AtomicInteger changesEnded = new AtomicInteger();
    private volatile int young;
    private volatile long answer = UNKNOWN;

    LatencyWindow(double percentile, int minSamples, long windowNanos, long nowNanos) {
        this.percentile = Require.ratio("percentile", percentile);
        this.minSamples = minSamples;
        this.halfNanos = Math.max(1, windowNanos / 2);
        this.begun = new AtomicLong(nowNanos);
        int processors = Runtime.getRuntime().availableProcessors();
        this.copies = new AtomicIntegerArray[Math.min(MAX_COPIES, Integer.highestOneBit(processors))];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = new AtomicIntegerArray(2 * HALF);
        }
    }

    /** Records a latency that was measured just now. */
    void record(long latencyNanos, long nowNanos) {
        changeHalves(nowNanos);
        AtomicIntegerArray mine = copies[copyOfThread()];
        int half = young * HALF;
        mine.getAndIncrement(half + bucketOf(latencyNanos));
        int recorded = mine.incrementAndGet(half + BUCKETS);
        if (recorded <= FEW || recorded % SELDOM == 0) {
            findAnswer();
        }
    }

    /** Returns the percentile, or {@link #UNKNOWN} while there are fewer latencies than the minimum. */
    long percentileNanos(long nowNanos) {
        changeHalves(nowNanos);
        return answer;
    }

    private int copyOfThread() {
        long mixed = Thread.currentThread().getId() * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & (copies.length - 1);
    }

    static int bucketOf(long nanos) {
        if (nanos <= 1L << LOWEST_BITS) {
            return 0;
        }
        long inside = Math.min(nanos, 1L << HIGHEST_BITS) - 1; // an edge belongs to the bucket below
        int bits = 63 - Long.numberOfLeadingZeros(inside);
        int edge = (int) (inside >>> (bits - EDGES_BITS)) & (EDGES - 1);
        return 1 + (bits - LOWEST_BITS) * EDGES + edge;
    }

    static long upperEdge(int bucket) {
        if (bucket == 0) {
            return 1L << LOWEST_BITS;
        }
        int bits = LOWEST_BITS + (bucket - 1) / EDGES;
        return (long) (EDGES + (bucket - 1) % EDGES + 1) << (bits - EDGES_BITS);
    }

    /** Clears the older half and makes it the younger one, on the first thread that comes after half a window. */
    private void changeHalves(long nowNanos) {
        long since = begun.get();
        long halves = (nowNanos - since) / halfNanos;
        if (halves <= 0 || !begun.compareAndSet(since, since + halves * halfNanos)) {
            return;
        }
        changesBegun.incrementAndGet();
        int old = 1 - young;
        clear(old);
        young = old;
        if (halves > 1) {
            clear(1 - old);
        }
        changesEnded.incrementAndGet();
        findAnswer();
    }

    private void clear(int half) {
        for (AtomicIntegerArray copy : copies) {
            for (int i = 0; i < HALF; i++) {
                copy.set(half * HALF + i, 0);
            }
        }
    }

    private void findAnswer() {
        int changes = changesEnded.get();
        long all = 0;
        for (AtomicIntegerArray copy : copies) {
            all += copy.get(BUCKETS) + (long) copy.get(HALF + BUCKETS);
        }
        long found = all < minSamples || all == 0 ? UNKNOWN : upperEdge(bucketOfRank(all));
        if (changesBegun.get() == changes) {
            answer = found;
        }
    }

    /** Returns the bucket of the percentile; counts from above, because useful percentiles are high. */
    int bucketOfRank(long all) {
        long above = all - (long) Math.ceil(percentile * all);
        int bucket = BUCKETS;
        while (bucket > 0 && above >= 0) {
            bucket--;
            for (AtomicIntegerArray copy : copies) {
                above -= copy.get(bucket) + (long) copy.get(HALF + bucket);
            }
        }
        return bucket;
    }
}
