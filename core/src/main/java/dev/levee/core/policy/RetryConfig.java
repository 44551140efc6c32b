package dev.levee.core.policy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a {@link Retry}. Immutable.
 *
 * @since 0.1
 */
public final class RetryConfig {
    private final int maxAttempts;
    private final Backoff backoff;
    private final Duration totalTime;
    private final Duration longestHint;
    private final OutcomeRule outcomes;

    private RetryConfig(Builder builder) {
        maxAttempts = builder.maxAttempts;
        backoff = builder.backoff;
        totalTime = builder.totalTime;
        longestHint = builder.longestHint;
        outcomes = builder.outcomes;
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
        builder.backoff = backoff;
        builder.totalTime = totalTime;
        builder.longestHint = longestHint;
        builder.outcomes = outcomes;
        return builder;
    }

    /**
     * How many attempts a call has, the first included.
     *
     * @return from 1
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * How long to wait between attempts.
     *
     * @return the backoff
     */
    public Backoff backoff() {
        return backoff;
    }

    /**
     * How long all attempts and the waits between them may take.
     *
     * @return the time; longer than about 146 years means no limit
     */
    public Duration totalTime() {
        return totalTime;
    }

    /**
     * How long a dependency or a refusal may ask to be left alone; a call that is asked for more fails at once.
     *
     * @return the time
     */
    public Duration longestHint() {
        return longestHint;
    }

    /**
     * What counts as a failure.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    long longestHintNanos() {
        return Nanos.of(longestHint);
    }

    long totalNanos() {
        return Nanos.of(totalTime);
    }

    /**
     * Sets up a {@link Retry}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxAttempts = 3;
        private Backoff backoff = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(5));
        private Duration totalTime = Duration.ofSeconds(Long.MAX_VALUE);
        private Duration longestHint = Duration.ofSeconds(5);
        private OutcomeRule outcomes = OutcomeRule.standard();

        Builder() {}

        /**
         * How many attempts a call has, the first included; default 3.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxAttempts(int value) {
            maxAttempts = Require.range("maxAttempts", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How long to wait between attempts; default exponential from 100 ms, capped at 5 s, with full jitter.
         *
         * @param value the backoff
         * @return this
         */
        public Builder backoff(Backoff value) {
            backoff = Require.nonNull("backoff", value);
            return this;
        }

        /**
         * How long all attempts and the waits between them may take; default no limit. No attempt starts after it, but one that
         * runs is not stopped: that is what a timeout is for. Costs one clock read a call.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder totalTime(Duration value) {
            totalTime = Require.positive("totalTime", value);
            return this;
        }

        /**
         * How long a dependency (Retry-After) or a refusal (an open breaker) may ask to be left alone; default 5 seconds. What it asks
         * is a lower bound for the wait; a call that is asked for more fails at once, with what it failed with, so that a
         * breaker that is open for half a minute does not hold every caller for as long.
         *
         * @param value zero or more; zero waits for nobody
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder longestHint(Duration value) {
            longestHint = Require.notNegative("longestHint", value);
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
         * Makes the settings.
         *
         * @return the settings
         */
        public RetryConfig build() {
            return new RetryConfig(this);
        }
    }
}
