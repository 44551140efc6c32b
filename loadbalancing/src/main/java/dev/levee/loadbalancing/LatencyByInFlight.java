package dev.levee.loadbalancing;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Recent latencies, by how many requests were in flight when they began. Levels are exact below 32; above, there are eight to
 * each doubling, and all from 65 536 on are one. Thread-safe without a lock: a reader may see a latency with the time of the one
 * that is just replacing it.
 */
final class LatencyByInFlight {
    static final int SAMPLES = 16;
    static final long FRESH_NANOS = 10_000_000_000L;

    private static final int EXACT = 32;
    private static final int MOST = (1 << 16) - 1;
    private static final int LEVELS = level(MOST) + 1;

    private final AtomicReferenceArray<Ring> rings = new AtomicReferenceArray<>(LEVELS);

    static int level(int inFlight) {
        int bounded = Math.min(inFlight, MOST);
        if (bounded < EXACT) {
            return bounded;
        }
        int exponent = 31 - Integer.numberOfLeadingZeros(bounded);
        return EXACT + (exponent - 5) * 8 + ((bounded >>> (exponent - 3)) & 7);
    }

    /** Allocates only when a level occurs for the first time. */
    void record(int inFlight, long latencyNanos, long nowNanos) {
        int level = level(inFlight);
        Ring ring = rings.get(level);
        if (ring == null) {
            rings.compareAndSet(level, null, new Ring());
            ring = rings.get(level);
        }
        ring.add(Math.max(latencyNanos, 0), nowNanos);
    }

    /**
     * The median at the nearest level that has fresh samples, of two equally near ones the higher; if none has, at the nearest that
     * has any; else {@link ServerLoad#UNKNOWN}.
     */
    long near(int inFlight, long nowNanos) {
        int level = level(inFlight);
        long fresh = nearest(level, nowNanos, FRESH_NANOS);
        return fresh == ServerLoad.UNKNOWN ? nearest(level, nowNanos, Long.MAX_VALUE) : fresh;
    }

    private long nearest(int level, long nowNanos, long mostAge) {
        for (int distance = 0; distance < LEVELS; distance++) {
            long above = median(level + distance, nowNanos, mostAge);
            if (above != ServerLoad.UNKNOWN) {
                return above;
            }
            long below = median(level - distance, nowNanos, mostAge);
            if (below != ServerLoad.UNKNOWN) {
                return below;
            }
        }
        return ServerLoad.UNKNOWN;
    }

    private long median(int level, long nowNanos, long mostAge) {
        Ring ring = level < 0 || level >= LEVELS ? null : rings.get(level);
        return ring == null ? ServerLoad.UNKNOWN : ring.median(nowNanos, mostAge);
    }

    /** The last samples of one level: latencies at even places, each followed by its time. */
    private static final class Ring extends AtomicInteger {
        private static final long serialVersionUID = 1L;
        private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
        private static final long NONE = -1;

        private final transient long[] cells = new long[2 * SAMPLES];

        Ring() {
            for (int i = 0; i < SAMPLES; i++) {
                cells[2 * i] = NONE;
            }
        }

        void add(long latency, long nowNanos) {
            int place = 2 * (getAndIncrement() & (SAMPLES - 1));
            CELL.setOpaque(cells, place + 1, nowNanos);
            CELL.setRelease(cells, place, latency);
        }

        private long latency(int i, long nowNanos, long mostAge) {
            long latency = (long) CELL.getAcquire(cells, 2 * i);
            return latency != NONE && nowNanos - (long) CELL.getOpaque(cells, 2 * i + 1) <= mostAge ? latency : NONE;
        }

        /** Of an even number the middle of the middle two. By ranks, since sorting would need an array. */
        long median(long nowNanos, long mostAge) {
            int count = 0;
            for (int i = 0; i < SAMPLES; i++) {
                count += latency(i, nowNanos, mostAge) == NONE ? 0 : 1;
            }
            if (count == 0) {
                return NONE;
            }
            long upper = ranked(count / 2, nowNanos, mostAge);
            long lower = count % 2 == 1 ? upper : ranked(count / 2 - 1, nowNanos, mostAge);
            return lower + (upper - lower) / 2;
        }

        private long ranked(int rank, long nowNanos, long mostAge) {
            long nearest = NONE;
            for (int i = 0; i < SAMPLES; i++) {
                long latency = latency(i, nowNanos, mostAge);
                if (latency == NONE) {
                    continue;
                }
                int below = 0;
                for (int k = 0; k < SAMPLES; k++) {
                    long other = latency(k, nowNanos, mostAge);
                    below += other != NONE && (other < latency || (other == latency && k < i)) ? 1 : 0;
                }
                if (below == rank) {
                    return latency;
                }
                nearest = latency; // samples change meanwhile, and no rank may be met
            }
            return nearest;
        }
    }
}
