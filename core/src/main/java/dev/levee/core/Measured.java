package dev.levee.core;

/**
 * Something whose figures can be asked for.
 *
 * <p>Metrics are pulled: a bridge to a metrics library polls, nothing is retained for it, and a policy that nobody polls
 * pays nothing. Figures of one pull are read one after the other while calls go on, so they need not add up exactly.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Measured {
    /**
     * Hands every figure to the sink. Thread-safe; does not block.
     *
     * @param sink receives the figures on the calling thread
     */
    void measure(Sink sink);

    /**
     * Receives figures.
     *
     * @since 0.1
     */
    @FunctionalInterface
    interface Sink {
        /**
         * One figure.
         *
         * @param policy the name of the policy that it belongs to
         * @param metric what is measured, in dotted lower case such as {@code breaker.failure.rate}
         * @param value the figure; its unit is part of the metric's documentation
         */
        void value(String policy, String metric, double value);
    }
}
