package dev.levee.ratelimit.work;

import dev.levee.core.Deadline;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.RetryBudget;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link WorkQueue}. Immutable.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class WorkQueueConfig<T> {
    /** The largest capacity: room for all items is allocated when the queue is made. */
    public static final int MAX_CAPACITY = 1 << 24;

    private final int capacity;
    private final int workers;
    private final WhenFull whenFull;
    private final Duration maxWait;
    private final int maxAttempts;
    private final Backoff backoff;
    private final Duration maxHint;
    private final double hintJitter;
    private final @Nullable RetryBudget budget;
    private final OutcomeRule outcomes;
    private final int maxDeadLetters;
    private final boolean ages;
    private final @Nullable Function<? super T, ?> order;

    private WorkQueueConfig(Builder<T> builder) {
        capacity = builder.capacity;
        workers = builder.workers;
        whenFull = builder.whenFull;
        maxWait = builder.maxWait;
        maxAttempts = builder.maxAttempts;
        backoff = builder.backoff;
        maxHint = builder.maxHint;
        hintJitter = builder.hintJitter;
        budget = builder.budget;
        outcomes = builder.outcomes;
        maxDeadLetters = builder.maxDeadLetters;
        ages = builder.ages;
        order = builder.order;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @param <T> the items
     * @return the builder; not thread-safe
     */
    public static <T> Builder<T> builder() {
        return new Builder<>();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
     */
    public Builder<T> toBuilder() {
        Builder<T> builder = new Builder<>();
        builder.capacity = capacity;
        builder.workers = workers;
        builder.whenFull = whenFull;
        builder.maxWait = maxWait;
        builder.maxAttempts = maxAttempts;
        builder.backoff = backoff;
        builder.maxHint = maxHint;
        builder.hintJitter = hintJitter;
        builder.budget = budget;
        builder.outcomes = outcomes;
        builder.maxDeadLetters = maxDeadLetters;
        builder.ages = ages;
        builder.order = order;
        return builder;
    }

    /**
     * Returns how many items may be accepted and not ended.
     *
     * @return from 1
     */
    public int capacity() {
        return capacity;
    }

    /**
     * Returns how many items the queue handles at once.
     *
     * @return from 0
     */
    public int workers() {
        return workers;
    }

    /**
     * Returns what {@link WorkQueue#submit} does when the queue is full.
     *
     * @return the choice
     */
    public WhenFull whenFull() {
        return whenFull;
    }

    /**
     * Returns how long an item may wait for a place.
     *
     * @return more than zero
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how many attempts are made of an item, the first included.
     *
     * @return from 1
     */
    public int maxAttempts() {
        return maxAttempts;
    }

    /**
     * Returns the wait between two attempts.
     *
     * @return the backoff
     */
    public Backoff backoff() {
        return backoff;
    }

    /**
     * Returns the longest hint that is obeyed.
     *
     * @return more than zero
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
     * Returns what bounds the further attempts of all items together.
     *
     * @return the budget; null if the queue has one of its own
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
     * Returns how many dead letters are kept.
     *
     * @return from 0
     */
    public int maxDeadLetters() {
        return maxDeadLetters;
    }

    /**
     * Returns whether it is noted when an item was accepted.
     *
     * @return whether it is
     */
    public boolean ages() {
        return ages;
    }

    /**
     * Returns what the key of an item is.
     *
     * @return the function; null if items have no order
     */
    public @Nullable Function<? super T, ?> order() {
        return order;
    }

    /**
     * Builds the settings of a {@link WorkQueue}. Not thread-safe.
     *
     * @param <T> the items
     * @since 0.1
     */
    public static final class Builder<T> {
        private int capacity = 1000;
        private int workers = 4;
        private WhenFull whenFull = WhenFull.REFUSE;
        private Duration maxWait = Duration.ofSeconds(1);
        private int maxAttempts = 5;
        private Backoff backoff = Backoff.exponential(Duration.ofMillis(100), Duration.ofMinutes(1));
        private Duration maxHint = Duration.ofHours(1);
        private double hintJitter = HintSpread.DEFAULT_JITTER;
        private @Nullable RetryBudget budget;
        private OutcomeRule outcomes = OutcomeRule.standard();
        private int maxDeadLetters = 1000;
        private boolean ages = true;
        private @Nullable Function<? super T, ?> order;

        Builder() {}

        /**
         * Sets how many items may be accepted and not ended: those that wait for a worker, for their next attempt or
         * for an earlier item of their key, and those that are being handled. Retries never exceed it. Room for all of
         * them is allocated when the queue is made. Default: 1000.
         *
         * @param value from 1 to {@link #MAX_CAPACITY}
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder<T> capacity(int value) {
            capacity = Require.range("capacity", value, 1, MAX_CAPACITY);
            return this;
        }

        /**
         * Sets how many items the queue handles at once, on threads of the environment's executor; an item whose
         * handler has returned a stage counts until the stage has ended. With 0 the queue has no workers, and only
         * {@link WorkQueue#runNext} handles items. Default: 4.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<T> workers(int value) {
            workers = Require.range("workers", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets what {@link WorkQueue#submit} does when the queue is full. Default: {@link WhenFull#REFUSE}.
         *
         * @param value the choice
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> whenFull(WhenFull value) {
            whenFull = Require.nonNull("whenFull", value);
            return this;
        }

        /**
         * Sets how long an item may wait for a place: in {@link WorkQueue#submit} with {@link WhenFull#BLOCK}, and in
         * {@link WorkQueue#submitAsync} unless {@link WhenFull#REFUSE} is chosen. Default: 1 s.
         *
         * @param value more than zero; with {@link Deadline#FOREVER} only the deadline of the call bounds a wait
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<T> maxWait(Duration value) {
            maxWait = Require.positive("maxWait", value);
            return this;
        }

        /**
         * Sets how many attempts are made of an item, the first included. Attempts that a policy further in refused do
         * not count. Default: 5.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<T> maxAttempts(int value) {
            maxAttempts = Require.range("maxAttempts", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets the wait between two attempts of an item. A longer hint ({@code Retry-After}, the open time of a
         * breaker) is waited for. Default: exponential from 100 ms to 1 min, full jitter.
         *
         * @param value the backoff; if it throws, the item waits 1 s
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> backoff(Backoff value) {
            backoff = Require.nonNull("backoff", value);
            return this;
        }

        /**
         * Sets the longest hint that is obeyed. An item that would have to wait longer, or whose rule says
         * {@link OutcomeRule#DO_NOT_RETRY}, becomes a dead letter, because it would keep its place for as long.
         * Default: 1 hour.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<T> maxHint(Duration value) {
            maxHint = Require.positive("maxHint", value);
            return this;
        }

        /**
         * Sets by which share of itself a wait that was asked for is longer at most. Default: 0.25. Each item draws its
         * own part of it, so that items which were told the same time do not come back in one moment, and never before.
         *
         * @param value from 0, for none, to 1
         * @return this
         * @throws IllegalArgumentException if it is outside or not a number
         */
        public Builder<T> hintJitter(double value) {
            if (!(value >= 0 && value <= 1)) {
                throw new IllegalArgumentException("hintJitter must be from 0 to 1, but was " + value);
            }
            hintJitter = value;
            return this;
        }

        /**
         * Sets what bounds the further attempts of all items together. An item whose attempt the budget does not let
         * through is not lost: it keeps its place and waits for its backoff once more, and asks again. Attempts after a
         * refusal by a policy further in cost nothing, because the work did not run. Default: a budget of this queue
         * alone, as {@link RetryBudget#of(String)} makes it: 20 % of the first attempts, and 10 per second.
         *
         * @param value a budget that may be shared with the retries and hedges in front of the same dependency;
         *     {@link RetryBudget#unlimited()} for none
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> budget(RetryBudget value) {
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
        public Builder<T> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what counts as a failure, starting from the rule that is set.
         *
         * <pre>{@code
         * config.outcomes(rule -> rule
         *     .onError(MalformedException.class, Verdict.IGNORED)                     // a dead letter at once
         *     .onResult(Response.class, r -> r.status() == 503, Verdict.THROTTLED));  // by what was returned
         * }</pre>
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder<T> outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * Sets how many dead letters are kept. When one more comes, the oldest is dropped and counted
         * ({@code work.dead.dropped}), so that items which cannot be handled never stop those which can. With 0 none is
         * kept. Default: 1000.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<T> maxDeadLetters(int value) {
            maxDeadLetters = Require.range("maxDeadLetters", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets whether it is noted when an item was accepted, for {@code work.oldest.age.nanos}. It costs one reading
         * of the clock for each item, which is more than everything else that {@link WorkQueue#offer} does. Default:
         * true.
         *
         * @param value true to note it
         * @return this
         */
        public Builder<T> ages(boolean value) {
            ages = value;
            return this;
        }

        /**
         * Handles items of one key one after the other, in the order in which they were accepted: an item is begun when
         * the one before it is done or has become a dead letter, so it waits for the retries of that one. Items of
         * other keys go on. Keys are held only while they have items. Costs two objects for each item, and a lock that
         * is held for a moment when an item is taken and when it has ended. Default: no order.
         *
         * @param key returns the key of an item, never null; called once by {@code offer}, {@code submit} and replays,
         *     on their thread, and what it throws is thrown by them. Its {@code hashCode} is called once, too; if its
         *     {@code equals} throws, the keys are not equal
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<T> orderedBy(Function<? super T, ?> key) {
            order = Require.nonNull("orderedBy", key);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public WorkQueueConfig<T> build() {
            return new WorkQueueConfig<>(this);
        }
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }

    long maxHintNanos() {
        return Nanos.of(maxHint);
    }
}
