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

    private IdempotencyConfig(Builder<T> builder) {
        lease = builder.lease;
        maxWait = builder.maxWait;
        pollEvery = builder.pollEvery;
        outcomes = builder.outcomes;
        check = builder.check;
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
        Builder<T> builder = new Builder<>();
        builder.lease = lease;
        builder.maxWait = maxWait;
        builder.pollEvery = pollEvery;
        builder.outcomes = outcomes;
        builder.check = check;
        return builder;
    }

    /**
     * How long an operation may run before others take its outcome for unknown.
     *
     * @return more than zero
     */
    public Duration lease() {
        return lease;
    }

    /**
     * How long a repeat waits for a call that is in progress.
     *
     * @return zero if it is refused at once
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * How often a repeat that waits for another process looks.
     *
     * @return more than zero
     */
    public Duration pollEvery() {
        return pollEvery;
    }

    /**
     * What an outcome means for those who repeat.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    /**
     * What finds out an unknown outcome.
     *
     * @return the check, or null if there is none
     */
    public @Nullable OutcomeCheck<T> check() {
        return check;
    }

    long leaseNanos() {
        return Nanos.of(lease);
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
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

        Builder() {}

        /**
         * How long an operation may run before others take its outcome for unknown; default 1 minute. Longer than the operation's
         * own timeout; what runs longer is not stopped, and can record its result as long as nobody has taken over.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder<T> lease(Duration value) {
            lease = Require.positive("lease", value);
            return this;
        }

        /**
         * How long a repeat waits for a call that is in progress; default 10 seconds. The deadline of the call may end it earlier.
         *
         * @param value zero to refuse repeats at once
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<T> maxWait(Duration value) {
            maxWait = Require.notNegative("maxWait", value);
            return this;
        }

        /**
         * How often a repeat looks into the store while the operation runs in another process; default 100 ms. Within one process
         * waiters are woken, and only one of them looks.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is not
         */
        public Builder<T> pollEvery(Duration value) {
            pollEvery = Require.positive("pollEvery", value);
            return this;
        }

        /**
         * What an outcome means for those who repeat; default {@link OutcomeRule#standard()}.
         *
         * <ul>
         *   <li>{@link Verdict#SUCCESS}: it is final. Recorded, a failure too, and replayed.
         *   <li>{@link Verdict#NOT_SENT}, {@link Verdict#THROTTLED}, or a refusal by a gate: nothing was done. Forgotten; a repeat runs
         *       the operation.
         *   <li>{@link Verdict#FAILURE}, {@link Verdict#IGNORED}: it may have been done. The outcome is unknown, and a repeat
         *       checks first.
         * </ul>
         *
         * @param value the rule
         * @return this
         */
        public Builder<T> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what an outcome means for those who repeat; see {@link #outcomes(OutcomeRule)}.
         *
         * @param change gets the rule so far
         * @return this
         */
        public Builder<T> outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * These failures are final answers: they are recorded, and every repeat gets them.
         *
         * @param type of failures, such as a card that was declined
         * @return this
         */
        public Builder<T> replay(Class<? extends Throwable> type) {
            outcomes = outcomes.onError(type, Verdict.SUCCESS);
            return this;
        }

        /**
         * After these failures surely nothing was done: a repeat runs the operation again.
         *
         * @param type of failures, such as a validation before the request was sent
         * @return this
         */
        public Builder<T> rerun(Class<? extends Throwable> type) {
            outcomes = outcomes.onError(type, Verdict.NOT_SENT);
            return this;
        }

        /**
         * What finds out an unknown outcome; by default there is none, and repeats are refused until the store forgets the key.
         *
         * @param value asks the other side
         * @return this
         */
        public Builder<T> check(OutcomeCheck<T> value) {
            check = Require.nonNull("check", value);
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
