package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * One call more after each call that succeeds while at least half the limit is in use, and a tenth less after each that
 * is dropped or takes too long.
 *
 * <p>Use it where the dependency refuses early what is too much. It sees overload only in drops, so it needs a timeout
 * that fits; the limit is a saw-tooth. Source: {@code AIMDLimit} of Netflix concurrency-limits 0.5.4 (2018), after
 * Dah-Ming Chiu and Raj Jain, Analysis of the increase and decrease algorithms for congestion avoidance, 1989.
 *
 * @param backoff what the limit is multiplied by. Default: 0.9
 * @param timeout from what latency on a call counts as dropped. Default: 5 s
 * @param window how long calls are gathered for one step. Default: zero, a step after each call
 * @since 0.1
 */
public record AimdLimit(double backoff, Duration timeout, Duration window) implements ConcurrencyLimit {
    static final AimdLimit DEFAULT = new AimdLimit(0.9, Duration.ofSeconds(5), Duration.ZERO);

    private static final double MIN_BACKOFF = 0.5;

    /**
     * Checks the settings.
     *
     * @param backoff what the limit is multiplied by. Default: 0.9
     * @param timeout from what latency on a call counts as dropped. Default: 5 s
     * @param window how long calls are gathered for one step. Default: zero, a step after each call
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public AimdLimit {
        if (!(backoff >= MIN_BACKOFF && backoff < 1)) {
            throw new IllegalArgumentException("backoff must be at least 0.5 and less than 1, but was " + backoff);
        }
        Require.positive("timeout", timeout);
        Require.notNegative("window", window);
    }

    /**
     * Returns this algorithm with another factor.
     *
     * @param value from 0.5, less than 1
     * @return the algorithm
     * @throws IllegalArgumentException if it is out of its range
     */
    public AimdLimit backoff(double value) {
        return new AimdLimit(value, timeout, window);
    }

    /**
     * Returns this algorithm with another timeout.
     *
     * @param value more than zero
     * @return the algorithm
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is not more than zero
     */
    public AimdLimit timeout(Duration value) {
        return new AimdLimit(backoff, value, window);
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
    public AimdLimit window(Duration value) {
        return new AimdLimit(backoff, timeout, value);
    }
}
