package dev.levee.ratelimit.concurrency;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of an {@link AdaptiveThrottle}. Immutable.
 *
 * @since 0.1
 */
public final class AdaptiveThrottleConfig {
    private final double multiplier;
    private final Duration window;
    private final OutcomeRule outcomes;

    private AdaptiveThrottleConfig(Builder builder) {
        multiplier = builder.multiplier;
        window = builder.window;
        outcomes = builder.outcomes;
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
        builder.multiplier = multiplier;
        builder.window = window;
        builder.outcomes = outcomes;
        return builder;
    }

    /**
     * Returns how many requests are made for each that is accepted before any is refused here.
     *
     * @return from 1 to 1000
     */
    public double multiplier() {
        return multiplier;
    }

    /**
     * Returns for how long requests and accepts count.
     *
     * @return from 1 s to an hour
     */
    public Duration window() {
        return window;
    }

    /**
     * Returns the rule that says which outcomes the dependency has accepted.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    /**
     * Builds the settings of an {@link AdaptiveThrottle}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final double MIN_MULTIPLIER = 1;
        private static final double MAX_MULTIPLIER = 1_000;
        private static final Duration MIN_WINDOW = Duration.ofSeconds(1);
        private static final Duration MAX_WINDOW = Duration.ofHours(1);

        private double multiplier = 2;
        private Duration window = Duration.ofMinutes(2);
        private OutcomeRule outcomes = OutcomeRule.standard();

        Builder() {}

        /**
         * Sets how many requests are made for each that is accepted before any is refused here: the K of the source.
         * Default: 2, which lets the dependency refuse as many as it accepts, and so notice soon that it accepts again.
         * Less spares a dependency for which a refusal costs as much as an answer.
         *
         * @param value from 1 to 1000
         * @return this
         * @throws IllegalArgumentException if it is out of its range or not a number
         */
        public Builder multiplier(double value) {
            if (!(value >= MIN_MULTIPLIER && value <= MAX_MULTIPLIER)) {
                throw new IllegalArgumentException("multiplier must be from 1 to 1000, but was " + value);
            }
            multiplier = value;
            return this;
        }

        /**
         * Sets for how long requests and accepts count. Default: 2 minutes. They are kept in 12 buckets, so it may be a
         * twelfth less.
         *
         * @param value from 1 s to an hour
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder window(Duration value) {
            Require.nonNull("window", value);
            if (value.compareTo(MIN_WINDOW) < 0 || value.compareTo(MAX_WINDOW) > 0) {
                throw new IllegalArgumentException("window must be from " + Nanos.text(MIN_WINDOW) + " to "
                        + Nanos.text(MAX_WINDOW) + ", but was " + Nanos.text(value));
            }
            window = value;
            return this;
        }

        /**
         * Sets the rule that judges outcomes. {@code THROTTLED} and {@code NOT_SENT} are no accepts, all others are.
         * Default: {@link OutcomeRule#standard()}, which knows no answer that means "too many": name yours.
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
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public AdaptiveThrottleConfig build() {
            return new AdaptiveThrottleConfig(this);
        }
    }
}
