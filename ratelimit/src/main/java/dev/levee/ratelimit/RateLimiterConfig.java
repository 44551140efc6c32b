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

    private RateLimiterConfig(Limit limit, boolean totals) {
        this.limit = limit;
        this.totals = totals;
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
        return builder().limit(limit).totals(totals);
    }

    /**
     * How much is admitted.
     *
     * @return the limit
     */
    public Limit limit() {
        return limit;
    }

    /**
     * Whether calls are counted.
     *
     * @return false unless it was asked for
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

        /**
         * How much is admitted; must be set.
         *
         * @param value the limit
         * @return this
         */
        public Builder limit(Limit value) {
            limit = Require.nonNull("limit", value);
            return this;
        }

        /**
         * Whether calls admitted and refused are counted, for metrics; default no. It costs each call a few nanoseconds.
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
            return new RateLimiterConfig(limit, totals);
        }
    }
}
