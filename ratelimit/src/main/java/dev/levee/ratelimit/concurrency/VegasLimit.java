package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * Estimates the queue from how much longer calls take than the quickest of them, and keeps it between two bounds.
 *
 * <p>The bounds are for the queue {@code limit * (1 - quickest / latency)}: below {@code alpha} the limit goes up,
 * above {@code beta} down. Every thirty limits or so of calls the quickest is forgotten. Use it where latencies differ
 * little: one call that was quick by luck makes all others look slow, until it is forgotten. Source: {@code VegasLimit}
 * of Netflix concurrency-limits 0.5.4 (2018), after Lawrence S. Brakmo and Larry L. Peterson, TCP Vegas: End to End
 * Congestion Avoidance on a Global Internet, 1995.
 *
 * @param alpha the lower bound. Default: 0, which stands for three times the decimal logarithm of the limit
 * @param beta the upper bound. Default: 0, which stands for six times that logarithm
 * @param smoothing how much of a step is made. Default: 1
 * @param window how long calls are gathered for one step. Default: zero, a step after each call
 * @since 0.1
 */
public record VegasLimit(int alpha, int beta, double smoothing, Duration window) implements ConcurrencyLimit {
    static final VegasLimit DEFAULT = new VegasLimit(0, 0, 1, Duration.ZERO);

    /**
     * Checks the settings.
     *
     * @param alpha the lower bound. Default: 0, which stands for three times the decimal logarithm of the limit
     * @param beta the upper bound. Default: 0, which stands for six times that logarithm
     * @param smoothing how much of a step is made. Default: 1
     * @param window how long calls are gathered for one step. Default: zero, a step after each call
     * @throws NullPointerException if {@code window} is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public VegasLimit {
        Require.range("alpha", alpha, 0, Integer.MAX_VALUE);
        Require.range("beta", beta, 0, Integer.MAX_VALUE);
        if (alpha > 0 && beta > 0 && alpha > beta) {
            throw new IllegalArgumentException("alpha must be at most beta, " + beta + ", but was " + alpha);
        }
        Require.ratio("smoothing", smoothing);
        Require.notNegative("window", window);
    }

    /**
     * Returns this algorithm with other bounds of the queue.
     *
     * @param lower from 0, which stands for three times the decimal logarithm of the limit
     * @param upper from {@code lower}; 0 stands for six times that logarithm
     * @return the algorithm
     * @throws IllegalArgumentException if a value is out of its range
     */
    public VegasLimit queue(int lower, int upper) {
        return new VegasLimit(lower, upper, smoothing, window);
    }

    /**
     * Returns this algorithm with another smoothing.
     *
     * @param value more than 0, at most 1
     * @return the algorithm
     * @throws IllegalArgumentException if it is out of its range
     */
    public VegasLimit smoothing(double value) {
        return new VegasLimit(alpha, beta, value, window);
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
    public VegasLimit window(Duration value) {
        return new VegasLimit(alpha, beta, smoothing, value);
    }
}
