package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.PaddedLong;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hands the calls of one bulkhead to its {@link LimitEstimator}, one thread at a time and without a lock: a call that
 * ends while another one is learnt from is not learnt from, but a drop is remembered. At the end of a window it says
 * how many calls there should be for each that is looked at.
 */
@SuppressWarnings("ThreadPriorityCheck") // the yield lets another thread end, nothing relies on it
final class LimitLearner {
    /** So many samples end a window whose time is up. */
    private static final int ENOUGH_SAMPLES = 64;

    /** So many samples end a window that lasts very long. */
    private static final int FEW_SAMPLES = 16;

    private static final int VERY_LONG = 20;

    /** From so many samples a window on, half as many are enough. */
    private static final int MANY_SAMPLES = 512;

    private static final int MAX_SHIFT = 14;

    // Of the thread that learns.
    private LimitEstimator estimator;
    private long windowNanos;
    private final LimitWindow window = new LimitWindow();

    /** 1 while a thread learns. */
    private final PaddedLong learning = new PaddedLong(0);

    private volatile boolean missedDrop;

    /** A refused call sets it, and the end of a window takes it back. */
    private volatile boolean refused;

    private boolean started;
    private long startNanos;

    /** One call in 2^shift is looked at. */
    private volatile int shift;

    private final AtomicLong drops = new AtomicLong();

    /** As the estimator knows it, for other threads. */
    private volatile double baselineNanos;

    LimitLearner(LimitEstimator estimator) {
        this.estimator = estimator;
        this.windowNanos = estimator.windowNanos();
    }

    int shift() {
        return shift;
    }

    double baselineNanos() {
        return baselineNanos;
    }

    long drops() {
        return drops.get();
    }

    void noteRefusal() {
        if (!refused) {
            refused = true;
        }
    }

    /** The algorithm. Between {@link #tryBegin} and {@link #end}. */
    LimitEstimator estimator() {
        return estimator;
    }

    /** Goes on with another algorithm, which knows nothing yet. Between {@link #begin} and {@link #end}. */
    void follow(LimitEstimator next) {
        estimator = next;
        windowNanos = next.windowNanos();
        window.clear();
        started = false;
        shift = 0;
        baselineNanos = next.baselineNanos();
    }

    /** Waits for the thread that learns, for the few instructions that takes, and keeps others from learning. */
    void begin() {
        while (!tryBegin()) {
            Thread.yield();
        }
    }

    /** Begins to learn, unless another thread does. */
    boolean tryBegin() {
        return learning.get() == 0 && learning.compareAndSet(0, 1);
    }

    void end() {
        learning.set(0);
    }

    void missDrop() {
        missedDrop = true;
    }

    /**
     * Learns from a call. Between {@link #tryBegin} and {@link #end}.
     *
     * @param weight how many calls it stands for; 0 if it is only counted as a drop
     * @return whether the limit may have changed
     */
    boolean learn(long nowNanos, long rttNanos, int inFlight, boolean success, boolean drop, int weight) {
        boolean dropped = drop || missedDrop;
        if (missedDrop) {
            missedDrop = false;
        }
        if (!started) {
            started = true;
            startNanos = nowNanos - rttNanos;
        }
        if (weight > 0) {
            window.add(Math.max(1, rttNanos), inFlight, weight);
            if (success) {
                window.addSuccess(weight);
            }
        }
        if (dropped) {
            drops.setOpaque(drops.getPlain() + 1); // only the thread that learns writes it
            window.addDrop();
            estimator.dropped();
        }
        return isOver(nowNanos) ? close(nowNanos) : dropped;
    }

    private boolean isOver(long nowNanos) {
        long samples = window.samples() + window.drops();
        if (windowNanos == 0) {
            return samples > 0;
        }
        long lasted = nowNanos - startNanos;
        if (lasted < 0) {
            startNanos = nowNanos; // the clock went back
            return false;
        }
        boolean turnedTwice = window.samples() == 0 || lasted >= 2 * window.meanNanos();
        return (lasted >= windowNanos && samples >= ENOUGH_SAMPLES && turnedTwice)
                || (lasted >= VERY_LONG * windowNanos && samples >= FEW_SAMPLES);
    }

    private boolean close(long nowNanos) {
        window.end(Math.max(1, nowNanos - startNanos) / 1e9, refused);
        refused = false;
        estimator.update(window);
        if (baselineNanos != estimator.baselineNanos()) {
            baselineNanos = estimator.baselineNanos();
        }
        if (windowNanos > 0) {
            long samples = window.samples();
            int now = shift;
            if (samples > MANY_SAMPLES && now < MAX_SHIFT) {
                shift = now + 1;
            } else if (samples <= MANY_SAMPLES / 4 && now > 0) {
                shift = now - 1;
            }
        }
        window.clear();
        startNanos = nowNanos;
        return true;
    }
}
