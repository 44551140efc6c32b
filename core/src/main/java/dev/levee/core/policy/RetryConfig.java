package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Consumer;
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
    /** Null if it was not said. */
    private final @Nullable Boolean idempotent;

    private final Duration totalTime;
    private final Duration maxHint;
    private final double hintJitter;
    private final OutcomeRule outcomes;
    private final @Nullable Consumer<Object> discard;

    private RetryConfig(Builder builder) {
        maxAttempts = builder.maxAttempts;
        backoff = builder.backoff;
        throttledBackoff = builder.throttledBackoff;
        throttledCost = builder.throttledCost;
        budget = builder.budget;
        idempotent = builder.idempotent;
        totalTime = builder.totalTime;
        maxHint = builder.maxHint;
        hintJitter = builder.hintJitter;
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
        builder.backoff = backoff;
        builder.throttledBackoff = throttledBackoff;
        builder.throttledCost = throttledCost;
        builder.budget = budget;
        builder.idempotent = idempotent;
        builder.totalTime = totalTime;
        builder.maxHint = maxHint;
        builder.hintJitter = hintJitter;
        builder.outcomes = outcomes;
        builder.discard = discard;
        return builder;
    }

    /**
     * Returns how many attempts a call has, the first included.
     *
     * @return from 1
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * Returns how long to wait between attempts.
     *
     * @return the backoff
     */
    public Backoff backoff() {
        return backoff;
    }

    /**
     * Returns how long to wait after an attempt that was throttled.
     *
     * @return the backoff
     */
    public Backoff throttledBackoff() {
        return throttledBackoff;
    }

    /**
     * Returns what an attempt after one that was throttled takes out of the budget.
     *
     * @return in attempts
     */
    public double throttledCost() {
        return throttledCost;
    }

    /**
     * Returns what bounds the extra attempts of all calls together.
     *
     * @return the budget; null if the retry has one of its own
     */
    public @Nullable RetryBudget budget() {
        return budget;
    }

    /**
     * Returns whether calls may be repeated even if they may have reached the other side.
     *
     * @return whether they may
     */
    public boolean idempotent() {
        return idempotent == null || idempotent;
    }

    boolean saysIdempotent() {
        return idempotent != null;
    }

    /**
     * Returns how long all attempts and the waits between them may take.
     *
     * @return the time; {@link dev.levee.core.Deadline#FOREVER} means no limit
     */
    public Duration totalTime() {
        return totalTime;
    }

    /**
     * Returns the longest wait that a dependency or a refusal may ask for; a call that is asked for a longer one fails
     * at once.
     *
     * @return the time
     */
    public Duration maxHint() {
        return maxHint;
    }

    /**
     * Returns by which share of itself a wait that was asked for is longer at most.
     *
     * @return from 0 to 1
     */
    public double hintJitter() {
        return hintJitter;
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
     * Returns what becomes of a result that counts as a failure and is repeated.
     *
     * @return what each such result is given to; null if it is dropped
     */
    public @Nullable Consumer<Object> discard() {
        return discard;
    }

    long maxHintNanos() {
        return Nanos.of(maxHint);
    }

    long totalNanos() {
        return Nanos.of(totalTime);
    }

    /**
     * Builds the settings of a {@link Retry}. Not thread-safe.
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
        private @Nullable Boolean idempotent;
        private Duration totalTime = Deadline.FOREVER;
        private Duration maxHint = Duration.ofSeconds(5);
        private double hintJitter = HintSpread.DEFAULT_JITTER;
        private OutcomeRule outcomes = OutcomeRule.standard();
        private @Nullable Consumer<Object> discard;

        Builder() {}

        /**
         * Sets how many attempts a call has, the first included. Default: 3.
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
         * Sets how long to wait between attempts. Default: exponential from 100 ms to at most 5 s, with full jitter.
         *
         * @param value the backoff
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder backoff(Backoff value) {
            backoff = Require.nonNull("backoff", value);
            return this;
        }

        /**
         * Sets how long to wait after an attempt that was {@link dev.levee.core.Verdict#THROTTLED}. Default:
         * exponential from 1 s to at most 20 s, of which half is jitter: a dependency that reports overload is left
         * alone for longer, and never called again at once.
         *
         * @param value the backoff
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder throttledBackoff(Backoff value) {
            throttledBackoff = Require.nonNull("throttledBackoff", value);
            return this;
        }

        /**
         * Sets what an attempt after one that was {@link dev.levee.core.Verdict#THROTTLED} takes out of the budget.
         * Default: 2, so that under the default budget throttled calls add at most a tenth to a load that is too much
         * already.
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
         * Sets what bounds the extra attempts of all calls together. Default: a budget for this retry alone, as
         * {@link RetryBudget#of(String)} makes it: 20 % of the first attempts, and 10 per second. A call that the
         * budget refuses to repeat fails at once, with the failure that it has.
         *
         * @param value a budget that may be shared with other retries and with hedges; {@link RetryBudget#unlimited()}
         *     for none
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder budget(RetryBudget value) {
            budget = Require.nonNull("budget", value);
            return this;
        }

        /**
         * Sets whether calls may be repeated even if they may have reached the other side. Default: true, with a
         * warning when a pipeline is built in which the retry stands around a timeout: say it, either way. With false
         * every call is treated as if it had been made within {@link dev.levee.core.CallContext#notIdempotent}: it is
         * repeated only when it surely has not been sent ({@link dev.levee.core.Verdict#NOT_SENT}) or an inner policy
         * has refused it, and nothing further in hedges it.
         *
         * @param value true for calls that may be done twice, such as reads and those with a key; false for calls such
         *     as a payment
         * @return this
         */
        public Builder idempotent(boolean value) {
            idempotent = value;
            return this;
        }

        /**
         * Sets how long all attempts and the waits between them may take. Default: no limit. No attempt starts after
         * it, but one that runs is not stopped: that is what a timeout is for. Costs one clock read a call.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} for no limit
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder totalTime(Duration value) {
            totalTime = Require.positive("totalTime", value);
            return this;
        }

        /**
         * Sets the longest wait that a dependency (Retry-After) or a refusal (an open breaker) may ask for. Default: 5
         * seconds. What it asks is a lower bound for the wait; a call that is asked for a longer one fails at once,
         * with the failure that it has, so that a breaker that is open for half a minute does not hold every caller for
         * as long.
         *
         * @param value zero or more; zero keeps no wait that is asked for, {@link dev.levee.core.Deadline#FOREVER} any
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxHint(Duration value) {
            maxHint = Require.notNegative("maxHint", value);
            return this;
        }

        /**
         * Sets by which share of itself a wait that was asked for is longer at most. Default: 0.25. Each call draws its
         * own part of it, so that a thousand calls that were told "2 seconds" at once come back evenly spread from 2 to
         * 2.5 seconds, and never before. It is on top of {@link #maxHint}, but never makes a wait too long for the
         * total time or the deadline of the call.
         *
         * @param value from 0, for none, to 1
         * @return this
         * @throws IllegalArgumentException if it is outside or not a number
         */
        public Builder hintJitter(double value) {
            if (!(value >= 0 && value <= 1)) {
                throw new IllegalArgumentException("hintJitter must be from 0 to 1, but was " + value);
            }
            hintJitter = value;
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
         * <pre>{@code
         * config.outcomes(rule -> rule
         *     .onError(NotFoundException.class, Verdict.IGNORED)                      // not these
         *     .onError(e -> e.getMessage().contains("locked"), Verdict.FAILURE)       // by a condition
         *     .onResult(Response.class, r -> r.status() == 503, Verdict.THROTTLED));  // by what was returned
         * }</pre>
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * Sets what becomes of a result that is not used: one that counts as a failure and is repeated, or one that
         * comes when the call has been cancelled. Close what it holds, a connection or a body. Default: it is dropped.
         *
         * <p>A result is given away before the wait for the next attempt, so that a connection is not held while
         * nothing happens. A call for which that wait takes too long cannot have it back: it fails with
         * {@link TimedOutException}. The result of the last attempt is the caller's.
         *
         * @param value gets each such result that is not null, once, on the thread that made it; an exception of it is
         *     logged
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
        public RetryConfig build() {
            return new RetryConfig(this);
        }
    }
}
