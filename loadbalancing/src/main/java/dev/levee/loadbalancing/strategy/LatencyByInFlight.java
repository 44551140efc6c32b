package dev.levee.loadbalancing.strategy;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Records recent latencies by how many requests were in flight when they began. Levels are exact below 32; above, there
 * are eight to each doubling, and all above 61 439 are one. Thread-safe without a lock: a reader may see a latency with
 * the time of the one that is just replacing it. See ADR 43.
 */
final class LatencyByInFlight {
    static final int SAMPLES = 32;
    static final long FRESH_NANOS = 10_000_000_000L;

    private static final int EXACT = 32;
    private static final int MAX = (1 << 16) - 1;
    private static final int LEVELS = level(MAX) + 1;

    private final AtomicReferenceArray<SampleRing> rings = new AtomicReferenceArray<>(LEVELS);

    static int level(int inFlight) {
        int bounded = Math.min(inFlight, MAX);
        if (bounded < EXACT) {
            return bounded;
        }
        int exponent = 31 - Integer.numberOfLeadingZeros(bounded);
        return EXACT + (exponent - 5) * 8 + ((bounded >>> (exponent - 3)) & 7);
    }

    /** Records a latency. Allocates only when a level occurs for the first time. */
    void record(int inFlight, long latencyNanos, long nowNanos) {
        int level = level(inFlight);
        SampleRing ring = rings.get(level);
        if (ring == null) {
            rings.compareAndSet(level, null, new SampleRing());
            ring = rings.get(level);
        }
        ring.add(Math.max(latencyNanos, 0), nowNanos);
    }

    /**
     * Returns the median at the nearest level that has fresh samples, of two equally near ones the higher; if none has,
     * at the nearest that has any; else {@link ServerLoad#UNKNOWN}. Allocates nothing.
     *
     * @param scratch room for {@link #SAMPLES}, not used by another thread meanwhile
     */
    long near(int inFlight, long nowNanos, long[] scratch) {
        int level = level(inFlight);
        long fresh = nearest(level, nowNanos, FRESH_NANOS, scratch);
        return fresh == ServerLoad.UNKNOWN ? nearest(level, nowNanos, Long.MAX_VALUE, scratch) : fresh;
    }

    private long nearest(int level, long nowNanos, long maxAge, long[] scratch) {
        for (int distance = 0; distance < LEVELS; distance++) {
            long above = median(level + distance, nowNanos, maxAge, scratch);
            if (above != ServerLoad.UNKNOWN) {
                return above;
            }
            long below = median(level - distance, nowNanos, maxAge, scratch);
            if (below != ServerLoad.UNKNOWN) {
                return below;
            }
        }
        return ServerLoad.UNKNOWN;
    }

    private long median(int level, long nowNanos, long maxAge, long[] scratch) {
        SampleRing ring = level < 0 || level >= LEVELS ? null : rings.get(level);
        return ring == null ? ServerLoad.UNKNOWN : ring.median(nowNanos, maxAge, scratch);
    }

    /** Holds the last samples of one level: latencies at even places, each followed by its time. */
    private static final class SampleRing extends AtomicInteger {
        private static final long serialVersionUID = 1L;
        private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
        private static final long NONE = -1;

        private final transient long[] cells = new long[2 * SAMPLES];

        SampleRing() {
            for (int i = 0; i < SAMPLES; i++) {
                cells[2 * i] = NONE;
            }
        }

        void add(long latency, long nowNanos) {
            int place = 2 * (getAndIncrement() & (SAMPLES - 1));
            // Release after opaque: a latency is seen with its time, or with the time of a later sample.
            CELL.setOpaque(cells, place + 1, nowNanos);
            CELL.setRelease(cells, place, latency);
        }

        /** Returns the median; of an even number the mean of the middle two. */
        long median(long nowNanos, long maxAge, long[] scratch) {
            int count = 0;
            for (int i = 0; i < SAMPLES; i++) {
                // Acquire before opaque: see add(). A time that belongs to a later sample is fresher by one ring at
                // most.
                long latency = (long) CELL.getAcquire(cells, 2 * i);
                if (latency != NONE && nowNanos - (long) CELL.getOpaque(cells, 2 * i + 1) <= maxAge) {
                    scratch[count++] = latency;
                }
            }
            if (count == 0) {
                return NONE;
            }
            Arrays.sort(scratch, 0, count);
            long upper = scratch[count / 2];
            long lower = count % 2 == 1 ? upper : scratch[count / 2 - 1];
            return lower + (upper - lower) / 2;
        }
    }
}
