package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link KeyedRateLimiter}. Immutable.
 *
 * <p>Provisional: grows with the limiter; names may change.
 *
 * @since 0.1
 */
public final class KeyedRateLimiterConfig {
    private final TokenBucketLimit limit;
    private final int maxKeys;
    private final boolean totals;

    private KeyedRateLimiterConfig(Builder builder, TokenBucketLimit limit) {
        this.limit = limit;
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
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * Returns how much is admitted of each key.
     *
     * @return the limit
     */
    public TokenBucketLimit limit() {
        return limit;
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
     * @since 0.1
     */
    public static final class Builder {
        private static final int MAX_KEYS = 1 << 24;

        private @Nullable TokenBucketLimit limit;
        private int maxKeys = 100_000;
        private boolean totals;

        Builder() {}

        private Builder(KeyedRateLimiterConfig config) {
            limit = config.limit;
            maxKeys = config.maxKeys;
            totals = config.totals;
        }

        /**
         * How much is admitted of each key. Must be set.
         *
         * @param value the limit
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder limit(TokenBucketLimit value) {
            limit = Require.nonNull("limit", value);
            return this;
        }

        /**
         * How many keys are held at most. Default: 100,000, which is about 8 MB and the keys. Choose more than the
         * number of keys that come within the time in which a bucket fills.
         *
         * @param value from 1 to 2^24
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder maxKeys(int value) {
            maxKeys = Require.range("maxKeys", value, 1, MAX_KEYS);
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
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if there is no limit
         */
        public KeyedRateLimiterConfig build() {
            if (limit == null) {
                throw new IllegalArgumentException("limit must be set");
            }
            return new KeyedRateLimiterConfig(this, limit);
        }
    }
}
