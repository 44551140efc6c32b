package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Polls the trackers of one set for the median of their latencies, when the {@link TypicalLatency} is old. One of the
 * picking threads does it; the others continue with the last median. With more than 63 endpoints each poll reads
 * another part of them.
 */
final class MedianPoll {
    private static final VarHandle POLLING = Handles.field(MethodHandles.lookup(), "polling", boolean.class);

    /** The number of endpoints that one poll reads. */
    private static final int MAX_READ = 63;

    private final PeakEwma[] trackers;
    private final TypicalLatency result;

    /** Room for one poll. It and the next field belong to the thread that has set {@link #polling}. */
    private final float[] measured;

    private int from;

    // Written through POLLING.
    @SuppressWarnings("UnusedVariable")
    private volatile boolean polling;

    MedianPoll(PeakEwma[] trackers, TypicalLatency result) {
        this.trackers = trackers;
        this.result = result;
        this.measured = new float[Math.min(MAX_READ, trackers.length)];
    }

    /** Polls, unless another thread is polling. */
    void run(int now) {
        if (!POLLING.compareAndSet(this, false, true)) {
            return;
        }
        result.polledAt(now);
        int step = (trackers.length + measured.length - 1) / measured.length;
        from = from + 1 < step ? from + 1 : 0;
        int count = 0;
        for (int i = from; i < trackers.length; i += step) {
            float nanos = trackers[i].measured();
            if (nanos >= 0) {
                measured[count++] = nanos;
            }
        }
        if (count > 0) {
            Arrays.sort(measured, 0, count);
            result.set(measured[(count - 1) / 2], count > 1);
        }
        POLLING.setRelease(this, false); // release: the compare-and-set of the next poll sees the plain fields
    }
}
