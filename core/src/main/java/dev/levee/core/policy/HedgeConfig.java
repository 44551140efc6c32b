package dev.levee.core.policy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Hedge}. Immutable.
 *
 * @since 0.1
 */
public final class HedgeConfig {
    private static final int MAX_ATTEMPTS = 16;

    private final int maxAttempts;
    private final @Nullable Duration delay;
    private final double percentile;
    private final Duration minDelay;
    private final Duration maxDelay;
    private final int minSamples;
    private final Duration window;
    private final @Nullable RetryBudget budget;
    private final OutcomeRule outcomes;
    private final Consumer<Object> discard;

    private HedgeConfig(Builder builder) {
        maxAttempts = builder.maxAttempts;
        delay = builder.delay;
        percentile = builder.percentile;
        minDelay = builder.minDelay;
        maxDelay = builder.maxDelay;
        minSamples = builder.minSamples;
        window = builder.window;
        budget = builder.budget;
        outcomes = builder.outcomes;
        discard = builder.discard;
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.maxAttempts = maxAttempts;
        builder.delay = delay;
        builder.percentile = percentile;
        builder.minDelay = minDelay;
        builder.maxDelay = maxDelay;
        builder.minSamples = minSamples;
        builder.window = window;
        builder.budget = budget;
        builder.outcomes = outcomes;
        builder.discard = discard;
        return builder;
    }

    /**
     * How many attempts a call may have, one after the other and in parallel, the first included.
     *
     * @return from 1 to 16
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * The fixed delay between two attempts.
     *
     * @return the delay, or null if it is a percentile of recent latencies
     */
    public @Nullable Duration delay() {
        return delay;
    }

    /**
     * Which percentile of recent latencies the delay is, unless it is fixed.
     *
     * @return more than 0, at most 1
     */
    public double percentile() {
        return percentile;
    }

    /**
     * What bounds a delay that is a percentile from below.
     *
     * @return the shortest delay
     */
    public Duration minDelay() {
        return minDelay;
    }

    /**
     * What bounds a delay that is a percentile from above; it is the delay while there are too few latencies.
     *
     * @return the longest delay
     */
    public Duration maxDelay() {
        return maxDelay;
    }

    /**
     * How many recent latencies a percentile needs.
     *
     * @return from 1
     */
    public int minSamples() {
        return minSamples;
    }

    /**
     * How long a latency is recent.
     *
     * @return the window
     */
    public Duration window() {
        return window;
    }

    /**
     * What bounds the attempts besides first ones.
     *
     * @return the budget, or null if the hedge has one of its own
     */
    public @Nullable RetryBudget budget() {
        return budget;
    }

    /**
     * What counts as a failure.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    Consumer<Object> discard() {
        return discard;
    }

    long minNanos() {
        return Nanos.of(minDelay);
    }

    long maxNanos() {
        return Nanos.of(maxDelay);
    }

    /**
     * Sets up a {@link Hedge}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxAttempts = 2;
        private @Nullable Duration delay;
        private double percentile = 0.95;
        private Duration minDelay = Duration.ofMillis(1);
        private Duration maxDelay = Duration.ofSeconds(1);
        private int minSamples = 100;
        private Duration window = Duration.ofMinutes(1);
        private @Nullable RetryBudget budget;
        private OutcomeRule outcomes = OutcomeRule.standard();
        private Consumer<Object> discard = result -> {};

        Builder() {}

        /**
         * How many attempts a call may have, one after the other and in parallel, the first included; default 2. With 1 nothing is hedged.
         *
         * @param value from 1 to 16
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder maxAttempts(int value) {
            maxAttempts = Require.range("maxAttempts", value, 1, MAX_ATTEMPTS);
            return this;
        }

        /**
         * A fixed delay between two attempts, instead of a percentile.
         *
         * @param value zero starts all attempts at once; longer than about 146 years starts another one only after a failure
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder delay(Duration value) {
            delay = Require.notNegative("delay", value);
            return this;
        }

        /**
         * A delay that is a percentile of recent latencies; default 0.95, which makes one call in twenty start a second attempt.
         *
         * <p>The latencies are those of first attempts that succeed, and the time after which a first attempt was beaten. The delay is at most 1/16
         * longer than the exact percentile, and never shorter. Costs two clock readings a call and up to 14 KB a hedge.
         *
         * @param value more than 0, at most 1
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder delayAtPercentile(double value) {
            percentile = Require.ratio("percentile", value);
            delay = null;
            return this;
        }

        /**
         * What bounds a delay that is a percentile; default from 1 millisecond to 1 second. While there are fewer latencies than
         * {@link #minSamples} the longest delay is the delay.
         *
         * @param shortest zero or more
         * @param longest at least {@code shortest}
         * @return this
         * @throws IllegalArgumentException if one is out of its range
         */
        public Builder delayBetween(Duration shortest, Duration longest) {
            Require.notNegative("shortest delay", shortest);
            if (Require.nonNull("longest delay", longest).compareTo(shortest) < 0) {
                throw new IllegalArgumentException(
                        "longest delay must be at least shortest delay " + shortest + ", but was " + longest);
            }
            minDelay = shortest;
            maxDelay = longest;
            return this;
        }

        /**
         * How many recent latencies a percentile needs; default 100.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder minSamples(int value) {
            minSamples = Require.range("minSamples", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How long a latency is recent; default 1 minute. It is forgotten after half to one window.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder window(Duration value) {
            window = Require.positive("window", value);
            return this;
        }

        /**
         * What bounds the attempts besides first ones; by default each hedge has a budget of its own, of 10 % of the calls and 1 a second.
         * Give it that of the retry in front of the same dependency, to bound what both add.
         *
         * <p>Inside of a retry give it that of this retry or none: a budget that is given is told of first attempts by the retry alone, so
         * another one would get nothing but its minimum rate.
         *
         * @param value the budget
         * @return this
         */
        public Builder budget(RetryBudget value) {
            budget = Require.nonNull("budget", value);
            return this;
        }

        /**
         * What counts as a failure; default {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what counts as a failure, starting from the rule that is set.
         *
         * @param change gets the rule and gives the new one
         * @return this
         */
        public Builder outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(
                    Require.nonNull("rule", Require.nonNull("change", change).apply(outcomes)));
        }

        /**
         * What becomes of a result that nobody will see, because another attempt was first or the call was cancelled: close it, if it holds
         * anything. By default it is dropped.
         *
         * @param value gets each such result that is not null, on the thread that made it; what it throws is logged
         * @return this
         */
        public Builder discard(Consumer<Object> value) {
            discard = Require.nonNull("discard", value);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public HedgeConfig build() {
            return new HedgeConfig(this);
        }
    }
}
