package dev.levee.core;

/**
 * A source of figures that can be polled.
 *
 * <p>Metrics are pulled: a bridge to a metrics library polls, nothing is retained for it, and a policy that is never
 * polled pays nothing. Figures of one poll are read one after the other while calls go on, so they need not add up
 * exactly.
 *
 * <p><b>Names of metrics</b> are lower-case words, every word separated by a dot. The first word says what is measured
 * (a {@linkplain Policy.Kind#label() kind} of policy, or a noun such as {@code keyed} or {@code endpoint}), and the
 * unit comes last unless the figure is a count or a ratio: {@code bulkhead.in.flight}, {@code breaker.failure.rate},
 * {@code hedge.delay.nanos}. The word for a call, or an attempt, that was not admitted is {@code refused} everywhere.
 * See ADR 13.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Measured {
    /**
     * Passes every figure to the sink. Thread-safe; does not block.
     *
     * @param sink receives the figures, on the calling thread
     * @throws NullPointerException if {@code sink} is null
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
         * Receives one figure.
         *
         * @param policy the name of the policy that it belongs to
         * @param metric the name of the metric: lower-case words, every word separated by a dot, the unit last
         *     ({@code .nanos}) if it is not a count or a ratio, such as {@code breaker.failure.rate}
         * @param value the figure, in the unit of the name
         */
        void value(String policy, String metric, double value);
    }
}
