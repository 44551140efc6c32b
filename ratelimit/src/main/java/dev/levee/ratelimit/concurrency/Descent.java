package dev.levee.ratelimit.concurrency;

/**
 * A way down from a limit, by a tenth a window, to see whether goodput goes down with it. Goodput that stays was
 * limited by the dependency, which had a queue; goodput that falls with the limit was limited by the limit.
 */
final class Descent {
    /** What a step has shown. */
    enum Answer {
        GO_ON,
        GOODPUT_STAYED,
        GOODPUT_FELL
    }

    private static final double FACTOR = 0.9;
    private static final int MAX_STEPS = 7;
    private static final int MIN_STEPS = 3;

    /** From this slope of goodput over limit on, goodput follows the limit: early, and at the end. */
    private static final double FOLLOWS_EARLY = 0.7;

    private static final double FOLLOWS = 0.5;

    private int steps;
    private int start;
    private double goodputAtStart;
    private double squares;
    private double products;
    private double lastNanos;

    boolean isUnderWay() {
        return steps > 0;
    }

    void start(int limit, double goodput) {
        steps = 1;
        start = limit;
        goodputAtStart = goodput;
        squares = 0;
        products = 0;
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
    double lastNanos() {
        return lastNanos;
    }

    /** Tells what a window at a limit has shown. */
    Answer step(double limit, double goodput, double nanos) {
        double x = Math.log(Math.floor(limit) / start);
        double y = Math.max(2 * x, Math.log(Math.max(goodput, 1e-9) / goodputAtStart));
        squares += x * x;
        products += x * y;
        lastNanos = lastNanos == 0 ? nanos : (lastNanos + nanos) / 2;
        double slope = squares == 0 ? 0 : products / squares;
        if (steps >= MIN_STEPS && slope > FOLLOWS_EARLY) {
            return Answer.GOODPUT_FELL;
        }
        if (steps >= MAX_STEPS) {
            return slope > FOLLOWS ? Answer.GOODPUT_FELL : Answer.GOODPUT_STAYED;
        }
        steps++;
        return Answer.GO_ON;
    }
}
