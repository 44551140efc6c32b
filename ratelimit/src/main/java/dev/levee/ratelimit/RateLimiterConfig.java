package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link RateLimiter}. Immutable.
 *
 * @since 0.1
 */
public final class RateLimiterConfig {
    private static final int DEFAULT_MAX_WAITING = 100_000;

    private final Limit limit;
    private final boolean totals;
    private final long initialPermits;
    private final long maxDebt;
    private final Duration maxWait;
    private final int maxWaiting;

    private RateLimiterConfig(Builder builder, Limit limit) {
        this.limit = limit;
        totals = builder.totals;
        initialPermits = builder.initialPermits;
        maxDebt = builder.maxDebt;
        maxWait = builder.maxWait;
        maxWaiting = builder.maxWaiting;
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
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * Returns how much is admitted.
     *
     * @return the limit
     */
    public Limit limit() {
        return limit;
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
     * Returns how many permits are there at first.
     *
     * @return from 0 to the capacity of the limit; {@code Long.MAX_VALUE} for all of them
     */
    public long initialPermits() {
        return initialPermits;
    }

    /**
     * Returns how many permits more than there are can be used by {@link RateLimiter#settle}.
     *
     * @return from 0
     */
    public long maxDebt() {
        return maxDebt;
    }

    /**
     * Returns how long a call in a pipeline may wait for its permit.
     *
     * @return zero if calls do not wait
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how many calls may wait at once.
     *
     * @return from 0
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * Sets up a {@link RateLimiter}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable Limit limit;
        private boolean totals;
        private long initialPermits = Long.MAX_VALUE;
        private long maxDebt;
        private Duration maxWait = Duration.ZERO;
        private int maxWaiting = DEFAULT_MAX_WAITING;

        Builder() {}

        private Builder(RateLimiterConfig config) {
            limit = config.limit;
            totals = config.totals;
            initialPermits = config.initialPermits;
            maxDebt = config.maxDebt;
            maxWait = config.maxWait;
            maxWaiting = config.maxWaiting;
        }

        /**
         * How much is admitted. Must be set.
         *
         * @param value the limit
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder limit(Limit value) {
            limit = Require.nonNull("limit", value);
            return this;
        }

        /**
         * Whether calls admitted and refused are counted, for metrics. Default: false. It costs each call a few
         * nanoseconds.
         *
         * @param value true to count
         * @return this
         */
        public Builder totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * How many permits are there at first, and again after a {@linkplain CarriedFill#RESET reset}. Default: as many
         * as the limit holds. Fewer for a process that starts often, so that its restarts add no bursts.
         *
         * @param value from 0 to the capacity of the limit
         * @return this
         * @throws IllegalArgumentException if it is negative; {@link #build} checks the upper bound
         */
        public Builder initialPermits(long value) {
            initialPermits = Require.range("initialPermits", value, 0, Long.MAX_VALUE);
            return this;
        }

        /**
         * How many permits more than there are can be used by {@link RateLimiter#settle}: what a call has used is
         * counted up to this debt, and nothing is admitted until it has been paid by time. Default: 0, so that a call
         * which has used more than was there leaves none, and the rest is forgiven.
         *
         * @param value from 0; a limiter whose algorithm cannot count as far refuses it
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxDebt(long value) {
            maxDebt = Require.range("maxDebt", value, 0, Long.MAX_VALUE);
            return this;
        }

        /**
         * How long a call in a pipeline, or by {@code call} and {@code callAsync}, may wait for its permit; never past
         * its deadline. A call whose permit would come later is refused at once. Default: zero, it does not wait. The
         * forms with a wait of their own, such as {@link RateLimiter#acquire}, do not depend on this.
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
         * How many calls may wait at once, in all forms; reservations too. One more is refused. Default: 100,000.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxWaiting(int value) {
            maxWaiting = Require.range("maxWaiting", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if there is no limit, or more permits are there at first than it holds
         */
        public RateLimiterConfig build() {
            if (limit == null) {
                throw new IllegalArgumentException("limit must be set");
            }
            if (initialPermits != Long.MAX_VALUE) {
                Require.range("initialPermits", initialPermits, 0, limit.capacity());
            }
            return new RateLimiterConfig(this, limit);
        }
    }
}
