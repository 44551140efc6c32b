package dev.levee.core;

import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.Require;
import java.util.List;

/**
 * A source of figures that can be polled.
 *
 * <p>Metrics are pulled: a bridge to a metrics library polls, nothing is retained for it, and a policy that is never
 * polled pays nothing. Figures of one poll are read one after the other while calls go on, so they need not add up
 * exactly.
 *
 * <p>Each figure comes with its {@link Metric}: name, kind, unit, description and tags. A sink that is a lambda gets
 * the flat form instead: <b>a name</b> of lower-case words, every word separated by a dot, of which the first says what
 * is measured (a {@linkplain Policy.Kind#label() kind} of policy, or a noun such as {@code keyed} or {@code endpoint}),
 * and the values of tags and the unit come last: {@code bulkhead.in.flight}, {@code breaker.calls.failed},
 * {@code hedge.delay.nanos}. The word for a call, or an attempt, that was not admitted is {@code refused} everywhere.
 * See ADR 13 and ADR 117.
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
     * Receives figures: as a lambda under flat names, or with their descriptions.
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

        /**
         * Receives one figure with its description. The default passes it on under its flat name.
         *
         * @param policy the name of the policy that it belongs to
         * @param metric what the figure is
         * @param tags the values of the tags of the metric, in their order; may be retained
         * @param value the figure, in the unit of the metric
         */
        default void value(String policy, Metric metric, List<String> tags, double value) {
            value(metric.flatPolicy(policy, tags), metric.flatName(tags), value);
        }

        /**
         * Receives one figure of a metric without tags.
         *
         * @param policy the name of the policy that it belongs to
         * @param metric what the figure is
         * @param value the figure, in the unit of the metric
         */
        default void value(String policy, Metric metric, double value) {
            value(policy, metric, List.of(), value);
        }

        /**
         * Receives a histogram. The default drops it: a flat name has no place for one.
         *
         * @param policy the name of the policy that it belongs to
         * @param metric what it is, of kind {@link Metric.Kind#HISTOGRAM}
         * @param tags the values of the tags of the metric, in their order; may be retained
         * @param source gives its counts, now and later; may be retained as long as the policy is
         */
        default void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {}

        /**
         * Receives a policy that can be acted upon while it runs, such as a circuit breaker, before its figures: also
         * one that is held for a key or an endpoint, and known to nothing else. For views with buttons. The default
         * does nothing.
         *
         * @param policy the policy; its figures come under its name
         */
        default void policy(Policy policy) {}
    }

    /**
     * Passes all figures on to another sink. Extend it to change some of them: what is not overridden is passed on as
     * it is, histograms too. Thread-safe if the other sink is.
     *
     * @since 0.1
     */
    abstract class ForwardingSink implements Sink {
        private final Sink target;

        /**
         * Makes a sink.
         *
         * @param target receives what this one passes on
         * @throws NullPointerException if {@code target} is null
         */
        protected ForwardingSink(Sink target) {
            this.target = Require.nonNull("target", target);
        }

        @Override
        public void value(String policy, String metric, double value) {
            target.value(policy, metric, value);
        }

        @Override
        public void value(String policy, Metric metric, List<String> tags, double value) {
            target.value(policy, metric, tags, value);
        }

        @Override
        public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
            target.histogram(policy, metric, tags, source);
        }

        @Override
        public void policy(Policy policy) {
            target.policy(policy);
        }
    }
}
