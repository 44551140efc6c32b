package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link RateLimiter}. Immutable.
 *
 * <p>Provisional: grows with the limiter; names may change.
 *
 * @since 0.1
 */
public final class RateLimiterConfig {
    private final Limit limit;
    private final boolean totals;

    private RateLimiterConfig(Builder builder, Limit limit) {
        this.limit = limit;
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
     * Sets up a {@link RateLimiter}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable Limit limit;
        private boolean totals;

        Builder() {}

        private Builder(RateLimiterConfig config) {
            limit = config.limit;
            totals = config.totals;
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
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if there is no limit
         */
        public RateLimiterConfig build() {
            if (limit == null) {
                throw new IllegalArgumentException("limit must be set");
            }
            return new RateLimiterConfig(this, limit);
        }
    }
}
