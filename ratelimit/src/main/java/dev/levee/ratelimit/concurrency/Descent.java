package dev.levee.ratelimit.concurrency;

/**
 * A way down from a limit, by a tenth a window, until goodput goes down with it: there is the knee. Goodput that stays
 * was limited by the dependency, which had a queue; goodput that falls with the limit is limited by the limit, and
 * calls take as long there as they do without a queue.
 */
final class Descent {
    /** What a step has shown. */
    enum Answer {
        GO_ON,
        GOODPUT_STAYED,
        GOODPUT_FELL
    }

    private static final double FACTOR = 0.9;

    /** To a quarter of the limit. */
    private static final int MAX_STEPS = 13;

    /** Below this share of what it was at the start goodput has fallen, in the mean of two windows. */
    private static final double FALLEN = 0.82;

    private int steps;
    private double goodputAtStart;
    private double lastGoodput;
    private double lastNanos;
    private double nanos;

    boolean isUnderWay() {
        return steps > 0;
    }

    void start(double goodput) {
        steps = 1;
        goodputAtStart = goodput;
        lastGoodput = goodput;
        lastNanos = 0;
    }

    void stop() {
        steps = 0;
    }

    /** What the limit is multiplied by now. */
    double factor() {
        return Math.pow(FACTOR, steps);
    }

    /** How long calls took at the end. */
    double nanosAtEnd() {
        return nanos;
    }

    /**
     * Tells what a window has shown.
     *
     * @param last whether the limit cannot go down any further
     */
    Answer step(double goodput, double nanosNow, boolean last) {
        double mean = (goodput + lastGoodput) / 2;
        nanos = lastNanos == 0 ? nanosNow : (nanosNow + lastNanos) / 2;
        lastGoodput = goodput;
        lastNanos = nanosNow;
        if (mean < FALLEN * goodputAtStart) {
            return Answer.GOODPUT_FELL;
        }
        if (last || steps >= MAX_STEPS) {
            return Answer.GOODPUT_STAYED;
        }
        steps++;
        return Answer.GO_ON;
    }
}
