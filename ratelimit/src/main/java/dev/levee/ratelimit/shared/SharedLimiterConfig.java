package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a limiter that several processes share; all of them must have the same limit, mode and life of
 * leases, or a higher {@link Builder#revision}. Immutable.
 *
 * @since 0.1
 */
public final class SharedLimiterConfig {
    private static final int DEFAULT_MAX_WAITING = 10_000;
    private static final int DEFAULT_MAX_KEYS = 100_000;
    private static final Duration DEFAULT_PERIOD = Duration.ofMillis(100);

    private final Limit limit;
    private final @Nullable SharedMode mode;
    private final @Nullable Duration leaseLife;
    private final long ahead;
    private final Duration period;
    private final OnOutage onOutage;
    private final long revision;
    private final Duration maxWait;
    private final int maxWaiting;
    private final int maxKeys;
    private final boolean totals;

    private SharedLimiterConfig(Builder builder, Limit limit) {
        this.limit = limit;
        mode = builder.mode;
        leaseLife = builder.leaseLife;
        ahead = builder.ahead;
        period = builder.period;
        onOutage = builder.onOutage;
        revision = builder.revision;
        maxWait = builder.maxWait;
        maxWaiting = builder.maxWaiting;
        maxKeys = builder.maxKeys;
        totals = builder.totals;
    }

    /**
     * Starts from the defaults; the limit has none.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns how much all processes together admit.
     *
     * @return the limit
     */
    public Limit limit() {
        return limit;
    }

    /**
     * Returns where calls are decided.
     *
     * @return the mode; null for the default
     */
    public @Nullable SharedMode mode() {
        return mode;
    }

    /**
     * Returns how long permits are used that were taken ahead.
     *
     * @return the life; null for the default
     */
    public @Nullable Duration leaseLife() {
        return leaseLife;
    }

    /**
     * Returns how many permits a process may be ahead of the store.
     *
     * @return from 1; 0 for the default
     */
    public long ahead() {
        return ahead;
    }

    /**
     * Returns how often the store is told what was used.
     *
     * @return more than zero
     */
    public Duration period() {
        return period;
    }

    /**
     * Returns what is done while the store cannot be asked.
     *
     * @return the choice
     */
    public OnOutage onOutage() {
        return onOutage;
    }

    /**
     * Returns the revision of the limit.
     *
     * @return from 0
     */
    public long revision() {
        return revision;
    }

    /**
     * Returns how long a call in a pipeline may wait for its permit.
     *
     * @return zero if calls wait for an answer of the store at most
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how many calls may wait at once, of each key.
     *
     * @return from 1
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * Returns how many keys a process remembers.
     *
     * @return from 1
     */
    public int maxKeys() {
        return maxKeys;
    }

    /**
     * Returns whether calls are counted.
     *
     * @return true to count
     */
    public boolean totals() {
        return totals;
    }

    /**
     * Sets up a limiter that several processes share.
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable Limit limit;
        private @Nullable SharedMode mode;
        private @Nullable Duration leaseLife;
        private long ahead;
        private Duration period = DEFAULT_PERIOD;
        private OnOutage onOutage = OnOutage.closed();
        private long revision;
        private Duration maxWait = Duration.ZERO;
        private int maxWaiting = DEFAULT_MAX_WAITING;
        private int maxKeys = DEFAULT_MAX_KEYS;
        private boolean totals;

        Builder() {}

        /**
         * How much all processes together admit. Must be set.
         *
         * @param value a limit that the store supports; with leases or relaxed a token bucket
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder limit(Limit value) {
            limit = Require.nonNull("limit", value);
            return this;
        }

        /**
         * Where calls are decided. Default: {@link SharedMode#LEASED} for a token bucket, else
         * {@link SharedMode#EXACT}.
         *
         * @param value the mode
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder mode(SharedMode value) {
            mode = Require.nonNull("mode", value);
            return this;
        }

        /**
         * How long permits are used that were taken ahead: {@code D}. It must be longer than a round trip. As many
         * permits as come back in this time are held back from the capacity, so that no window has more than the limit
         * says. Default: an eighth of the time in which the limit fills, 10 ms at least and 1 s at most; a limit in
         * which less than one permit comes back in that time, or that fills within 20 ms, is decided call by call.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero; the limiter checks that a permit is left
         */
        public Builder leaseLife(Duration value) {
            leaseLife = Require.positive("leaseLife", value);
            return this;
        }

        /**
         * How many permits a process may be ahead of the store in {@link SharedMode#RELAXED}: {@code U}. Default: a
         * sixteenth of the capacity, 1 at least. A call can take no more than this at once.
         *
         * @param value from 1 to the capacity of the limit
         * @return this
         * @throws IllegalArgumentException if it is less than 1; the limiter checks the upper bound
         */
        public Builder ahead(long value) {
            ahead = Require.range("ahead", value, 1, Long.MAX_VALUE);
            return this;
        }

        /**
         * How long a process keeps to itself what it has used, in {@link SharedMode#RELAXED}. Default: 100 ms; sooner
         * when half of what it may be ahead was used.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder period(Duration value) {
            period = Require.positive("period", value);
            return this;
        }

        /**
         * What is done while the store cannot be asked. Default: {@link OnOutage#closed}.
         *
         * @param value the choice
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder onOutage(OnOutage value) {
            onOutage = Require.nonNull("onOutage", value);
            return this;
        }

        /**
         * The revision of the limit. Raise it with each change of limit, mode or life of leases, so that processes with
         * the new settings and with the old ones can run side by side while they are replaced: the highest revision
         * applies to all. Default: 0.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder revision(long value) {
            revision = Require.range("revision", value, 0, Long.MAX_VALUE);
            return this;
        }

        /**
         * How long a call in a pipeline may wait for its permit; never past its deadline. Default: zero, it waits for
         * an answer of the store at most.
         *
         * @param value from zero; {@code Deadline.FOREVER} for no bound but the deadline of the call
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxWait(Duration value) {
            maxWait = Require.notNegative("maxWait", value);
            return this;
        }

        /**
         * How many calls may wait at once, of each key: for their turn, or for an answer of the store. One more is
         * refused. Default: 10,000.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxWaiting(int value) {
            maxWaiting = Require.range("maxWaiting", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How many keys a process remembers, with what it holds of them; for a limiter of keys. More of them cost round
         * trips, and admit nothing more. Default: 100,000.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxKeys(int value) {
            maxKeys = Require.range("maxKeys", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Whether calls admitted and refused are counted, for metrics. Default: false.
         *
         * @param value true to count
         * @return this
         */
        public Builder totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if there is no limit
         */
        public SharedLimiterConfig build() {
            if (limit == null) {
                throw new IllegalArgumentException("limit must be set");
            }
            return new SharedLimiterConfig(this, limit);
        }
    }
}
