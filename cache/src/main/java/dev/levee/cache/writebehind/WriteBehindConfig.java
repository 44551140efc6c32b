package dev.levee.cache.writebehind;

import dev.levee.core.Deadline;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Backoff;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link WriteBehind}. Immutable.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class WriteBehindConfig<K, V> {
    /** The largest number of workers. */
    public static final int MAX_WORKERS = 1024;

    private final int workers;
    private final Duration delay;
    private final int batchSize;
    private final int maxPending;
    private final long maxBytes;
    private final @Nullable WriteWeigher<? super K, ? super V> weigher;
    private final WriteOverflow whenFull;
    private final Duration maxWait;
    private final int maxTries;
    private final Backoff backoff;
    private final OutcomeRule outcomes;
    private final int maxDead;
    private final DeadKey whenDead;
    private final @Nullable WriteJournal<K, V> journal;
    private final Duration closeWithin;

    private WriteBehindConfig(Builder<K, V> builder) {
        workers = builder.workers;
        delay = builder.delay;
        batchSize = builder.batchSize;
        maxPending = builder.maxPending;
        maxBytes = builder.maxBytes;
        weigher = builder.weigher;
        whenFull = builder.whenFull;
        maxWait = builder.maxWait;
        maxTries = builder.maxTries;
        backoff = builder.backoff;
        outcomes = builder.outcomes;
        maxDead = builder.maxDead;
        whenDead = builder.whenDead;
        journal = builder.journal;
        closeWithin = builder.closeWithin;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @param <K> the keys
     * @param <V> the values
     * @return the builder; not thread-safe
     */
    public static <K, V> Builder<K, V> builder() {
        return new Builder<>();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
     */
    public Builder<K, V> toBuilder() {
        Builder<K, V> builder = new Builder<>();
        builder.workers = workers;
        builder.delay = delay;
        builder.batchSize = batchSize;
        builder.maxPending = maxPending;
        builder.maxBytes = maxBytes;
        builder.weigher = weigher;
        builder.whenFull = whenFull;
        builder.maxWait = maxWait;
        builder.maxTries = maxTries;
        builder.backoff = backoff;
        builder.outcomes = outcomes;
        builder.maxDead = maxDead;
        builder.whenDead = whenDead;
        builder.journal = journal;
        builder.closeWithin = closeWithin;
        return builder;
    }

    /**
     * Returns how many batches may be on their way to the store at once.
     *
     * @return from 1
     */
    public int workers() {
        return workers;
    }

    /**
     * Returns how long a write waits for others before it goes to the store.
     *
     * @return zero or more
     */
    public Duration delay() {
        return delay;
    }

    /**
     * Returns how many writes go to the store together at most.
     *
     * @return from 1
     */
    public int batchSize() {
        return batchSize;
    }

    /**
     * Returns how many writes may be accepted and not ended.
     *
     * @return from 1
     */
    public int maxPending() {
        return maxPending;
    }

    /**
     * Returns how many bytes may be accepted and not ended.
     *
     * @return from 1; {@code Long.MAX_VALUE} if there is no bound
     */
    public long maxBytes() {
        return maxBytes;
    }

    /**
     * Returns how writes are weighed.
     *
     * @return the weigher; null if they are not
     */
    public @Nullable WriteWeigher<? super K, ? super V> weigher() {
        return weigher;
    }

    /**
     * Returns what happens to a write for which there is no room.
     *
     * @return the choice
     */
    public WriteOverflow whenFull() {
        return whenFull;
    }

    /**
     * Returns how long a caller waits for room.
     *
     * @return more than zero
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how often a write is tried, the first time included.
     *
     * @return from 1
     */
    public int maxTries() {
        return maxTries;
    }

    /**
     * Returns the wait between two tries of a write.
     *
     * @return the backoff
     */
    public Backoff backoff() {
        return backoff;
    }

    /**
     * Returns what counts as a failure, and which failures are not repeated.
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
    public int maxDead() {
        return maxDead;
    }

    /**
     * Returns what becomes of a key whose write is given up.
     *
     * @return the choice
     */
    public DeadKey whenDead() {
        return whenDead;
    }

    /**
     * Returns what keeps accepted writes beyond the process.
     *
     * @return the journal; null if nothing does
     */
    public @Nullable WriteJournal<K, V> journal() {
        return journal;
    }

    /**
     * Returns how long {@link WriteBehind#close()} waits.
     *
     * @return zero or more
     */
    public Duration closeWithin() {
        return closeWithin;
    }

    /**
     * Builds the settings of a {@link WriteBehind}. Not thread-safe.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> {
        private int workers = 4;
        private Duration delay = Duration.ofSeconds(1);
        private int batchSize = 100;
        private int maxPending = 10_000;
        private long maxBytes = Long.MAX_VALUE;
        private @Nullable WriteWeigher<? super K, ? super V> weigher;
        private WriteOverflow whenFull = WriteOverflow.BLOCK;
        private Duration maxWait = Duration.ofSeconds(1);
        private int maxTries = 10;
        private Backoff backoff = Backoff.exponential(Duration.ofMillis(100), Duration.ofMinutes(1));
        private OutcomeRule outcomes = OutcomeRule.standard();
        private int maxDead = 1000;
        private DeadKey whenDead = DeadKey.EVICT;
        private @Nullable WriteJournal<K, V> journal;
        private Duration closeWithin = Duration.ofSeconds(30);

        Builder() {}

        /**
         * Sets how many batches may be on their way to the store at once. Keys are spread over the workers by their
         * hash, and each worker has one batch under way at a time. A store that hangs holds up the keys of its worker
         * alone. Workers are tasks on the environment's executor, which end when there is nothing to do. Default: 4.
         *
         * @param value from 1 to {@link #MAX_WORKERS}
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder<K, V> workers(int value) {
            workers = Require.range("workers", value, 1, MAX_WORKERS);
            return this;
        }

        /**
         * Sets how long a write waits for others before it goes to the store: the longer, the more writes of a key
         * become one, and the more keys share a batch. It counts from the first write of a key that the store has not
         * got, so a key that is written all the time is not put off. A full batch, a lack of room,
         * {@link WriteBehind#flush} and a close do not wait for it. Default: 1 s.
         *
         * @param value zero or more
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<K, V> delay(Duration value) {
            delay = Require.notNegative("delay", value);
            return this;
        }

        /**
         * Sets how many writes go to the store together at most. As soon as as many wait for one worker it begins,
         * whatever the delay is. Default: 100.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> batchSize(int value) {
            batchSize = Require.range("batchSize", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets how many writes may be accepted and not ended: those that wait, for their next try too, and those on
         * their way to the store. A write that replaces a pending one of its key needs no more room. Default: 10,000.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> maxPending(int value) {
            maxPending = Require.range("maxPending", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets how many bytes may be accepted and not ended, beside the number of writes. A write that is heavier than
         * the bound never has room. Default: no bound.
         *
         * @param value from 1
         * @param weigher returns the bytes of a write
         * @return this
         * @throws NullPointerException if the weigher is null
         * @throws IllegalArgumentException if the number is less than 1
         */
        public Builder<K, V> maxBytes(long value, WriteWeigher<? super K, ? super V> weigher) {
            maxBytes = Require.range("maxBytes", value, 1, Long.MAX_VALUE);
            this.weigher = Require.nonNull("weigher", weigher);
            return this;
        }

        /**
         * Sets what happens to a write for which there is no room. Default: {@link WriteOverflow#BLOCK}.
         *
         * @param value the choice
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> whenFull(WriteOverflow value) {
            whenFull = Require.nonNull("whenFull", value);
            return this;
        }

        /**
         * Sets how long a caller waits for room ({@link WriteOverflow#BLOCK}), or for its turn to write itself
         * ({@link WriteOverflow#WRITE_THROUGH}). Default: 1 s.
         *
         * @param value more than zero; with {@link Deadline#FOREVER} only the deadline of the call bounds a wait
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<K, V> maxWait(Duration value) {
            maxWait = Require.positive("maxWait", value);
            return this;
        }

        /**
         * Sets how often a write is tried before it becomes a dead letter. Only a failure of the write itself counts:
         * not a refusal by a policy around the store, not a failure that was surely not sent or that asks for fewer
         * calls, and not that of a batch, which is tried in smaller ones. Default: 10.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> maxTries(int value) {
            maxTries = Require.range("maxTries", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets the wait between two tries of a write. Other keys do not wait. A longer hint ({@code Retry-After}, the
         * open time of a breaker) is waited for. Default: exponential from 100 ms to 1 min, full jitter.
         *
         * @param value the backoff; if it throws or is negative, the write waits 1 s
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> backoff(Backoff value) {
            backoff = Require.nonNull("backoff", value);
            return this;
        }

        /**
         * Sets what counts as a failure, and which failures are not repeated: with the verdict {@code IGNORED}, or the
         * hint {@link OutcomeRule#DO_NOT_RETRY}, a write becomes a dead letter at once; with {@code SUCCESS} it counts
         * as written. An interrupt or a cancel says nothing about the write, and is repeated. Default:
         * {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what counts as a failure, starting from the rule that is set.
         *
         * <pre>{@code
         * config.outcomes(rule -> rule.onError(DataTruncation.class, Verdict.IGNORED)) // a dead letter at once
         * }</pre>
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder<K, V> outcomes(UnaryOperator<OutcomeRule> change) {
            outcomes = Require.nonNull(
                    "outcomes", Require.nonNull("change", change).apply(outcomes));
            return this;
        }

        /**
         * Sets how many dead letters are kept. When as many are there, none is dropped and no other write is given up:
         * it keeps its room and is tried again, until one is replayed or discarded. With 0 no write is ever given up.
         * Default: 1000.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is less than 0
         */
        public Builder<K, V> maxDead(int value) {
            maxDead = Require.range("maxDead", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets what becomes of a key whose write is given up. Default: {@link DeadKey#EVICT}.
         *
         * @param value the choice
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> whenDead(DeadKey value) {
            whenDead = Require.nonNull("whenDead", value);
            return this;
        }

        /**
         * Sets what keeps accepted writes and dead letters beyond the process. The write-behind opens it and closes it,
         * so it belongs to one. Default: none, and a crash loses what the store has not got.
         *
         * @param value a journal that is not open
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> journal(WriteJournal<K, V> value) {
            journal = Require.nonNull("journal", value);
            return this;
        }

        /**
         * Sets how long {@link WriteBehind#close()} waits for the store. Default: 30 s.
         *
         * @param value zero or more
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<K, V> closeWithin(Duration value) {
            closeWithin = Require.notNegative("closeWithin", value);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public WriteBehindConfig<K, V> build() {
            return new WriteBehindConfig<>(this);
        }
    }

    long delayNanos() {
        return Nanos.of(delay);
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }
}
