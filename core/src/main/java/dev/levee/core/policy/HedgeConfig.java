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
     * Returns a builder with the defaults.
     *
     * @return the builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
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
     * Returns how many attempts a call may have, one after the other and in parallel, the first included.
     *
     * @return from 1 to 16
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * Returns the fixed delay between two attempts.
     *
     * @return the delay, or null if it is a percentile of recent latencies
     */
    public @Nullable Duration delay() {
        return delay;
    }

    /**
     * Returns which percentile of recent latencies the delay is, as set by {@link Builder#delayAtPercentile}.
     *
     * @return more than 0, at most 1; not used if {@link #delay} is not null
     */
    public double percentile() {
        return percentile;
    }

    /**
     * Returns the shortest delay that is a percentile, as set by {@link Builder#delayBetween}.
     *
     * @return zero or more
     */
    public Duration minDelay() {
        return minDelay;
    }

    /**
     * Returns the longest delay that is a percentile, as set by {@link Builder#delayBetween}; it is the delay while
     * there are too few latencies.
     *
     * @return at least {@link #minDelay}
     */
    public Duration maxDelay() {
        return maxDelay;
    }

    /**
     * Returns how many recent latencies a percentile needs.
     *
     * @return from 1
     */
    public int minSamples() {
        return minSamples;
    }

    /**
     * Returns how long a latency is recent.
     *
     * @return the window
     */
    public Duration window() {
        return window;
    }

    /**
     * Returns what bounds the attempts besides first ones.
     *
     * @return the budget; null if the hedge has one of its own
     */
    public @Nullable RetryBudget budget() {
        return budget;
    }

    /**
     * Returns what counts as a failure.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }
    /**
     * Returns what becomes of a result that is not used.
     *
     * @return what each such result is given to
     */
    public Consumer<Object> discard() {
        return discard;
    }

    long minNanos() {
        return Nanos.of(minDelay);
    }

    long maxNanos() {
        return Nanos.of(maxDelay);
    }

    /**
     * Builds the settings of a {@link Hedge}. Not thread-safe.
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
         * Sets how many attempts a call may have, one after the other and in parallel, the first included. Default: 2.
         * With 1 nothing is hedged.
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
         * Sets a fixed delay between two attempts, instead of a percentile.
         *
         * @param value zero starts all attempts at once; longer than about 146 years starts another one only after a
         *     failure
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder delay(Duration value) {
            delay = Require.notNegative("delay", value);
            return this;
        }

        /**
         * Sets a delay that is a percentile of recent latencies. Default: 0.95, which makes one call in twenty start a
         * second attempt.
         *
         * <p>The latencies are those of first attempts that succeed, and the time after which a first attempt was
         * beaten. The delay is at most 1/16 longer than the exact percentile, and never shorter. Costs two clock
         * readings a call and up to 14 KB a hedge.
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
         * Sets the bounds of a delay that is a percentile. Default: from 1 millisecond to 1 second. While there are
         * fewer latencies than {@link #minSamples} the delay is {@code max}.
         *
         * @param min zero or more
         * @param max at least {@code min}
         * @return this
         * @throws NullPointerException if one is null
         * @throws IllegalArgumentException if one is out of its range
         */
        public Builder delayBetween(Duration min, Duration max) {
            Require.notNegative("min", min);
            if (Require.nonNull("max", max).compareTo(min) < 0) {
                throw new IllegalArgumentException(
                        "max must be at least min " + Nanos.text(min) + ", but was " + Nanos.text(max));
            }
            minDelay = min;
            maxDelay = max;
            return this;
        }

        /**
         * Sets how many recent latencies a percentile needs. Default: 100.
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
         * Sets how long a latency is recent. Default: 1 minute. It is forgotten after half to one window.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder window(Duration value) {
            window = Require.positive("window", value);
            return this;
        }

        /**
         * Sets what bounds the attempts besides first ones. Default: a budget for this hedge alone, of 10 % of the
         * calls and 1 a second. Give it that of the retry in front of the same dependency, to bound what both add.
         *
         * <p>Inside a retry, give it the budget of this retry or none: the retry alone pays for first attempts, so any
         * other budget would get nothing but its minimum rate.
         *
         * @param value the budget
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder budget(RetryBudget value) {
            budget = Require.nonNull("budget", value);
            return this;
        }

        /**
         * Sets what counts as a failure. Default: {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what counts as a failure, starting from the rule that is set.
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * Sets what becomes of a result that is not used, because another attempt was first or the call was cancelled:
         * close it, if it holds anything. Default: it is dropped.
         *
         * @param value gets each such result that is not null, on the thread that made it; an exception of it is logged
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder discard(Consumer<Object> value) {
            discard = Require.nonNull("discard", value);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public HedgeConfig build() {
            return new HedgeConfig(this);
        }
    }
}
