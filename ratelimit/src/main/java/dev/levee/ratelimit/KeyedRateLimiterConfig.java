package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link KeyedRateLimiter}. Immutable.
 *
 * @param <K> the type of the keys; settings without {@code limits} and {@code keyBy} can be made for {@code Object}
 * @since 0.1
 */
public final class KeyedRateLimiterConfig<K> {
    private final @Nullable TokenBucketLimit limit;
    private final @Nullable Function<? super K, TokenBucketLimit> limits;
    private final @Nullable Function<? super K, ?> keyBy;
    private final int maxKeys;
    private final long maxDebt;
    private final boolean totals;

    private KeyedRateLimiterConfig(Builder<K> builder) {
        limit = builder.limit;
        limits = builder.limits;
        keyBy = builder.keyBy;
        maxKeys = builder.maxKeys;
        maxDebt = builder.maxDebt;
        totals = builder.totals;
    }

    /**
     * Starts from the defaults; the limit has none.
     *
     * @param <K> the type of the keys
     * @return a builder; not thread-safe
     */
    public static <K> Builder<K> builder() {
        return new Builder<>();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder<K> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * Returns how much is admitted of each key.
     *
     * @return the limit; null if keys have limits of their own
     */
    public @Nullable TokenBucketLimit limit() {
        return limit;
    }

    /**
     * Returns what tells the limit of a key.
     *
     * @return the function; null if all keys share one limit
     */
    public @Nullable Function<? super K, TokenBucketLimit> limits() {
        return limits;
    }

    /**
     * Returns what keys are told apart by.
     *
     * @return the function; null if they are of a type that needs none
     */
    public @Nullable Function<? super K, ?> keyBy() {
        return keyBy;
    }

    /**
     * Returns how many keys are held at most.
     *
     * @return from 1 to 2^24
     */
    public int maxKeys() {
        return maxKeys;
    }

    /**
     * Returns how many permits more than there are can be used by {@link KeyedRateLimiter#settle}.
     *
     * @return from 0
     */
    public long maxDebt() {
        return maxDebt;
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
     * Sets up a {@link KeyedRateLimiter}.
     *
     * @param <K> the type of the keys
     * @since 0.1
     */
    public static final class Builder<K> {
        private static final int MAX_KEYS = 1 << 24;

        private @Nullable TokenBucketLimit limit;
        private @Nullable Function<? super K, TokenBucketLimit> limits;
        private @Nullable Function<? super K, ?> keyBy;
        private int maxKeys = 100_000;
        private long maxDebt;
        private boolean totals;

        Builder() {}

        private Builder(KeyedRateLimiterConfig<K> config) {
            limit = config.limit;
            limits = config.limits;
            keyBy = config.keyBy;
            maxKeys = config.maxKeys;
            maxDebt = config.maxDebt;
            totals = config.totals;
        }

        /**
         * How much is admitted of each key. Must be set, unless {@link #limits} is; replaces it.
         *
         * @param value the limit
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K> limit(TokenBucketLimit value) {
            limit = Require.nonNull("limit", value);
            limits = null;
            return this;
        }

        /**
         * How much is admitted of a key, where keys differ, such as tenants with plans. Replaces {@link #limit}.
         *
         * <p>The function is asked in each call, before anything is locked, and must be cheap: a field or a look-up in
         * a map. What it throws, the call throws. When it returns another limit for a key than before, the key keeps
         * what it has consumed: as many permits are missing in its new bucket, at most all of them; and what was used
         * beyond the burst ({@link KeyedRateLimiter#settle}) is kept as well, up to {@link #maxDebt}. So from the
         * change on the new limit holds; over all, each change to a smaller burst and back lets a key exceed its limit
         * by at most the difference of the bursts. Calls that are under way may be decided by the limit that was asked
         * for when they began. A call that waits for the key ({@link Permits#acquire}) hears of another limit from the
         * next call of this key: it moves up, waits longer, or is refused.
         *
         * <p>Return the same object, or an equal one, for the same plan. Up to some hundred different limits cost
         * nothing; of many more, or of new ones in each call, each costs the making of its arithmetic, some
         * microseconds, and a slot keeps the last one of its key.
         *
         * @param value from a key to its limit, never null
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K> limits(Function<? super K, TokenBucketLimit> value) {
            limits = Require.nonNull("limits", value);
            limit = null;
            return this;
        }

        /**
         * What keys are told apart by, where their type is none of {@code CharSequence}, {@code Integer}, {@code Long},
         * {@code UUID}, {@code byte[]}, {@code InetAddress}, {@link AddressKey}, an enum, or a {@code List} of these.
         * Default: the key itself.
         *
         * <p>Called in each call, before anything is locked. What it allocates, the call allocates.
         *
         * @param value from a key to a value of such a type, never null, the same for keys that share a bucket
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K> keyBy(Function<? super K, ?> value) {
            keyBy = Require.nonNull("keyBy", value);
            return this;
        }

        /**
         * How many keys are held at most. Default: 100,000, which is about 3 MB if all come; a table starts small and
         * grows. Each key takes at most 32 bytes when there are as many (37 with {@link #limits}), and up to twice that
         * while there are fewer. Choose more than the number of keys that come within the time in which a bucket fills.
         *
         * @param value from 1 to 2^24
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder<K> maxKeys(int value) {
            maxKeys = Require.range("maxKeys", value, 1, MAX_KEYS);
            return this;
        }

        /**
         * How many permits more than there are a key can have used, by {@link KeyedRateLimiter#settle}; what it has
         * used beyond that is forgiven. Default: 0.
         *
         * @param permits from 0, at most what comes back in about 36 years, and less for very high rates; a limit for
         *     which it is more is refused when a limiter is made, or by the call for whose key the limit is
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder<K> maxDebt(long permits) {
            maxDebt = Require.range("maxDebt", permits, 0, Long.MAX_VALUE);
            return this;
        }

        /**
         * Whether calls admitted and refused are counted, for metrics. Default: false. It costs each call a few
         * nanoseconds.
         *
         * @param value true to count
         * @return this
         */
        public Builder<K> totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if there is no limit
         */
        public KeyedRateLimiterConfig<K> build() {
            if (limit == null && limits == null) {
                throw new IllegalArgumentException("limit must be set");
            }
            return new KeyedRateLimiterConfig<>(this);
        }
    }
}
