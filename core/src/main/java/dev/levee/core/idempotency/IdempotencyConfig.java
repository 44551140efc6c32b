package dev.levee.core.idempotency;

import dev.levee.core.OutcomeRule;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of an {@link Idempotency}. Immutable.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public final class IdempotencyConfig<T extends @Nullable Object> {
    private final Duration lease;
    private final Duration maxWait;
    private final Duration pollEvery;
    private final OutcomeRule outcomes;
    private final @Nullable OutcomeCheck<T> check;
    private final Duration checkAfter;

    private IdempotencyConfig(Builder<T> builder) {
        lease = builder.lease;
        maxWait = builder.maxWait;
        pollEvery = builder.pollEvery;
        outcomes = builder.outcomes;
        check = builder.check;
        checkAfter = builder.checkAfter;
    }

    /**
     * Starts from the defaults.
     *
     * @param <T> the type of the results
     * @return a builder; not thread-safe
     */
    public static <T extends @Nullable Object> Builder<T> builder() {
        return new Builder<>();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder<T> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * Returns how long an operation may run before its outcome counts as unknown.
     *
     * @return more than zero
     */
    public Duration lease() {
        return lease;
    }

    /**
     * Returns how long a repeat waits for a call that is in progress.
     *
     * @return zero if it is refused at once
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how often a repeat that waits for another process polls the store.
     *
     * @return more than zero
     */
    public Duration pollEvery() {
        return pollEvery;
    }

    /**
     * Returns the rule that says what an outcome means for repeats.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    /**
     * Returns the check that finds out an unknown outcome.
     *
     * @return the check, or null if there is none
     */
    public @Nullable OutcomeCheck<T> check() {
        return check;
    }

    /**
     * Returns how long after an outcome became unknown it is checked in the background first.
     *
     * @return more than zero; {@link dev.levee.core.Deadline#FOREVER} if only repeats check
     */
    public Duration checkAfter() {
        return checkAfter;
    }

    long leaseNanos() {
        return Nanos.of(lease);
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }

    long checkAfterNanos() {
        return Nanos.of(checkAfter);
    }

    long pollNanos() {
        return Nanos.of(pollEvery);
    }

    /**
     * Sets up an {@link Idempotency}.
     *
     * @param <T> the type of the results
     * @since 0.1
     */
    public static final class Builder<T extends @Nullable Object> {
        private Duration lease = Duration.ofMinutes(1);
        private Duration maxWait = Duration.ofSeconds(10);
        private Duration pollEvery = Duration.ofMillis(100);
        private OutcomeRule outcomes = OutcomeRule.standard();
        private @Nullable OutcomeCheck<T> check;
        private Duration checkAfter = Duration.ofSeconds(10);

        Builder() {}

        private Builder(IdempotencyConfig<T> config) {
            lease = config.lease;
            maxWait = config.maxWait;
            pollEvery = config.pollEvery;
            outcomes = config.outcomes;
            check = config.check;
            checkAfter = config.checkAfter;
        }

        /**
         * How long an operation may run before its outcome counts as unknown. Default: 1 minute. Longer than the
         * operation's own timeout; an operation that runs longer is not stopped, and can record its result as long as
         * no other call has taken over.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder<T> lease(Duration value) {
            lease = Require.positive("lease", value);
            return this;
        }

        /**
         * How long a repeat waits for a call that is in progress. Default: 10 seconds. The deadline of the call may end
         * it earlier.
         *
         * @param value zero to refuse repeats at once; {@link dev.levee.core.Deadline#FOREVER} for no limit
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<T> maxWait(Duration value) {
            maxWait = Require.notNegative("maxWait", value);
            return this;
        }

        /**
         * How often a repeat polls the store while the operation runs in another process. Default: 100 ms. Within one
         * process waiters are woken, and only one of them polls.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder<T> pollEvery(Duration value) {
            pollEvery = Require.positive("pollEvery", value);
            return this;
        }

        /**
         * What an outcome means for repeats. Default: {@link OutcomeRule#standard()}.
         *
         * <ul>
         *   <li>{@link Verdict#SUCCESS}: it is final. It is recorded, a failure too, and replayed.
         *   <li>{@link Verdict#NOT_SENT}, {@link Verdict#THROTTLED}, or a refusal by a gate: nothing was done. The key
         *       becomes absent; a repeat runs the operation.
         *   <li>{@link Verdict#FAILURE}, {@link Verdict#IGNORED}: it may have been done. The outcome is unknown, and a
         *       repeat checks first.
         * </ul>
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what an outcome means for repeats, starting from the rule that is set; see
         * {@link #outcomes(OutcomeRule)}.
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder<T> outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * Makes failures of a type final: they are recorded, and every repeat gets them.
         *
         * @param type of failures, such as a card that was declined
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> replay(Class<? extends Throwable> type) {
            outcomes = outcomes.onError(type, Verdict.SUCCESS);
            return this;
        }

        /**
         * Says that after failures of a type nothing was done: a repeat runs the operation again.
         *
         * @param type of failures, such as a validation before the request was sent
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> rerun(Class<? extends Throwable> type) {
            outcomes = outcomes.onError(type, Verdict.NOT_SENT);
            return this;
        }

        /**
         * What finds out an unknown outcome. Default: none, and repeats are refused until the store drops the key.
         *
         * @param value asks the other side
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> check(OutcomeCheck<T> value) {
            check = Require.nonNull("check", value);
            return this;
        }

        /**
         * How long after an outcome became unknown it is checked in the background, without waiting for a repeat.
         * Default: 10 seconds. Each further try for a key waits twice as long as the one before, and the twelfth is the
         * last. One key is checked at a time, and at most 100,000 keys wait for it. Without a {@link #check} there is
         * none.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} if only repeats are to check
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder<T> checkAfter(Duration value) {
            checkAfter = Require.positive("checkAfter", value);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public IdempotencyConfig<T> build() {
            return new IdempotencyConfig<>(this);
        }
    }
}
