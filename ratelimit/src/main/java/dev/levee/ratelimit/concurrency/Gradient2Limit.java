package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * Multiplies the limit by how much quicker calls were in the long run than now, and adds a few for a queue.
 *
 * <p>Use it where overload is short: under one that lasts, the average in the long run becomes that of the overload,
 * and the limit grows to its bound. It takes no notice of drops. Source: {@code Gradient2Limit} of Netflix
 * concurrency-limits 0.5.4 (2018).
 *
 * @param queueSize how many calls are added in each step. Default: 4
 * @param smoothing how much of a step is made. Default: 0.2
 * @param tolerance how many times the long-term latency is not yet a reason to shrink. Default: 1.5
 * @param longWindow over how many samples the long-term latency is averaged. Default: 600
 * @param window how long calls are gathered for one step. Default: zero, a step after each call
 * @since 0.1
 */
public record Gradient2Limit(int queueSize, double smoothing, double tolerance, int longWindow, Duration window)
        implements ConcurrencyLimit {
    static final Gradient2Limit DEFAULT = new Gradient2Limit(4, 0.2, 1.5, 600, Duration.ZERO);

    /**
     * Checks the settings.
     *
     * @param queueSize how many calls are added in each step. Default: 4
     * @param smoothing how much of a step is made. Default: 0.2
     * @param tolerance how many times the long-term latency is not yet a reason to shrink. Default: 1.5
     * @param longWindow over how many samples the long-term latency is averaged. Default: 600
     * @param window how long calls are gathered for one step. Default: zero, a step after each call
     * @throws NullPointerException if {@code window} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Gradient2Limit {
        Require.range("queueSize", queueSize, 0, Integer.MAX_VALUE);
        Require.ratio("smoothing", smoothing);
        if (!(tolerance >= 1 && tolerance < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("tolerance must be at least 1 and finite, but was " + tolerance);
        }
        Require.range("longWindow", longWindow, 1, Integer.MAX_VALUE);
        Require.notNegative("window", window);
    }

    /**
     * Returns this algorithm with another number of calls for a queue.
     *
     * @param value from 0
     * @return the algorithm
     * @throws IllegalArgumentException if it is negative
     */
    public Gradient2Limit queueSize(int value) {
        return new Gradient2Limit(value, smoothing, tolerance, longWindow, window);
    }

    /**
     * Returns this algorithm with another smoothing.
     *
     * @param value more than 0, at most 1
     * @return the algorithm
     * @throws IllegalArgumentException if it is out of its range
     */
    public Gradient2Limit smoothing(double value) {
        return new Gradient2Limit(queueSize, value, tolerance, longWindow, window);
    }

    /**
     * Returns this algorithm with another tolerance.
     *
     * @param value from 1
     * @return the algorithm
     * @throws IllegalArgumentException if it is less than 1 or not finite
     */
    public Gradient2Limit tolerance(double value) {
        return new Gradient2Limit(queueSize, smoothing, value, longWindow, window);
    }

    /**
     * Returns this algorithm with another long run.
     *
     * @param value in samples, from 1
     * @return the algorithm
     * @throws IllegalArgumentException if it is less than 1
     */
    public Gradient2Limit longWindow(int value) {
        return new Gradient2Limit(queueSize, smoothing, tolerance, value, window);
    }

    /**
     * Returns this algorithm with calls gathered in windows: a step is then made by their mean latency and the most
     * that were in flight, as in {@code WindowedLimit}.
     *
     * @param value zero for a step after each call
     * @return the algorithm
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is negative
     */
    public Gradient2Limit window(Duration value) {
        return new Gradient2Limit(queueSize, smoothing, tolerance, longWindow, value);
    }
}
