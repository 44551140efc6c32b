package dev.levee.core.policy;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Retry}. Immutable.
 *
 * @since 0.1
 */
public final class RetryConfig {
    private final int maxAttempts;
    private final Backoff backoff;
    private final Backoff throttledBackoff;
    private final double throttledCost;
    private final @Nullable RetryBudget budget;
    private final boolean idempotent;
    private final Duration totalTime;
    private final Duration maxHint;
    private final OutcomeRule outcomes;

    private RetryConfig(Builder builder) {
        maxAttempts = builder.maxAttempts;
        backoff = builder.backoff;
        throttledBackoff = builder.throttledBackoff;
        throttledCost = builder.throttledCost;
        budget = builder.budget;
        idempotent = builder.idempotent;
        totalTime = builder.totalTime;
        maxHint = builder.maxHint;
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
        builder.throttledBackoff = throttledBackoff;
        builder.throttledCost = throttledCost;
        builder.budget = budget;
        builder.idempotent = idempotent;
        builder.totalTime = totalTime;
        builder.maxHint = maxHint;
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
     * How long to wait after an attempt that was throttled.
     *
     * @return the backoff
     */
    public Backoff throttledBackoff() {
        return throttledBackoff;
    }

    /**
     * What an attempt after one that was throttled takes out of the budget.
     *
     * @return in attempts
     */
    public double throttledCost() {
        return throttledCost;
    }

    /**
     * What bounds the extra attempts of all calls together.
     *
     * @return the budget; null if the retry makes one of its own
     */
    public @Nullable RetryBudget budget() {
        return budget;
    }

    /**
     * Whether calls may be repeated even if they may have reached the other side.
     *
     * @return whether they may
     */
    public boolean idempotent() {
        return idempotent;
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
    public Duration maxHint() {
        return maxHint;
    }

    /**
     * What counts as a failure.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    long maxHintNanos() {
        return Nanos.of(maxHint);
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
        private Backoff throttledBackoff = Backoff.exponential(Duration.ofSeconds(1), Duration.ofSeconds(20))
                .withJitter(Backoff.Jitter.EQUAL);
        private double throttledCost = 2;
        private @Nullable RetryBudget budget;
        private boolean idempotent = true;
        private Duration totalTime = Duration.ofSeconds(Long.MAX_VALUE);
        private Duration maxHint = Duration.ofSeconds(5);
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
         * How long to wait after an attempt that was {@link dev.levee.core.Verdict#THROTTLED}; default exponential from 1 s, capped at
         * 20 s, of which half is jitter: a dependency that says it is asked too much is left alone for longer, and never asked again
         * at once.
         *
         * @param value the backoff
         * @return this
         */
        public Builder throttledBackoff(Backoff value) {
            throttledBackoff = Require.nonNull("throttledBackoff", value);
            return this;
        }

        /**
         * What an attempt after one that was {@link dev.levee.core.Verdict#THROTTLED} takes out of the budget; default 2, so that under
         * the default budget throttled calls add at most a tenth to what the dependency already finds too much.
         *
         * @param value in attempts, more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero, negative or not a number
         */
        public Builder throttledCost(double value) {
            CreditBudget.requireCost(value);
            throttledCost = value;
            return this;
        }

        /**
         * What bounds the extra attempts of all calls together; by default each retry has one of its own, as
         * {@link RetryBudget#of(String)} makes it: 20 % of the first attempts, and 10 per second. A call that the budget does not let
         * repeat fails at once, with what it failed with.
         *
         * @param value a budget that may be shared with other retries and with hedges; {@link RetryBudget#unlimited()} for none
         * @return this
         */
        public Builder budget(RetryBudget value) {
            budget = Require.nonNull("budget", value);
            return this;
        }

        /**
         * Whether calls may be repeated even if they may have reached the other side; default true. With false every call is treated as if
         * it had been made within {@link dev.levee.core.CallContext#notIdempotent}: it is repeated only when it surely has not
         * been sent ({@link dev.levee.core.Verdict#NOT_SENT}) or an inner policy has refused it, and nothing further in hedges it.
         *
         * @param value false for calls such as a payment
         * @return this
         */
        public Builder idempotent(boolean value) {
            idempotent = value;
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
        public Builder maxHint(Duration value) {
            maxHint = Require.notNegative("maxHint", value);
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
         * <pre>{@code
         * config.outcomes(rule -> rule
         *     .onError(NotFoundException.class, Verdict.IGNORED)                      // not these
         *     .onError(e -> e.getMessage().contains("locked"), Verdict.FAILURE)       // by a condition
         *     .onResult(Response.class, r -> r.status() == 503, Verdict.THROTTLED));  // by what was returned
         * }</pre>
         *
         * @param change gets the rule and gives the new one
         * @return this
         */
        public Builder outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
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
