package dev.levee.cache;

import dev.levee.core.internal.Require;

/**
 * The settings of a {@link Cache}. Immutable.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class CacheConfig<K, V> extends ReadingSettings<K, V> {
    private final Strategy strategy;
    private final long maxSize;
    private final boolean totals;

    private CacheConfig(Builder<K, V> builder) {
        super(builder);
        strategy = builder.strategy;
        maxSize = builder.maxSize;
        totals = builder.totals;
    }

    /**
     * Starts from the defaults.
     *
     * @param <K> the keys
     * @param <V> the values
     * @return a builder; not thread-safe
     */
    public static <K, V> Builder<K, V> builder() {
        return new Builder<>();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder<K, V> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * Returns whether the cache writes the store, set by {@link Builder#cacheAside}, {@link Builder#writeThrough} and
     * {@link Builder#writeAround}.
     *
     * @return the strategy
     */
    public Strategy strategy() {
        return strategy;
    }

    /**
     * Returns how many values are held at most.
     *
     * @return from 1
     */
    public long maxSize() {
        return maxSize;
    }

    /**
     * Returns whether hits, misses, loads and evictions are counted.
     *
     * @return true if they are
     */
    public boolean totals() {
        return totals;
    }

    /**
     * The ways to keep a store and its cache in agreement.
     *
     * @since 0.1
     */
    public enum Strategy {
        /** The application writes its store and then invalidates the cache; the cache only reads. */
        CACHE_ASIDE,
        /** The cache writes the store first and itself after that, before the call returns. */
        WRITE_THROUGH,
        /** The cache writes the store and drops its value, before the call returns; the next reader loads. */
        WRITE_AROUND
    }

    /**
     * Sets up a {@link Cache}.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> extends ReadingBuilder<K, V, Builder<K, V>> {
        private Strategy strategy = Strategy.CACHE_ASIDE;
        private long maxSize = 10_000;
        private boolean totals;

        Builder() {}

        private Builder(CacheConfig<K, V> config) {
            super(config);
            strategy = config.strategy;
            maxSize = config.maxSize;
            totals = config.totals;
        }

        @Override
        Builder<K, V> self() {
            return this;
        }

        /**
         * Leaves writing to the application. This is the default. {@link Cache#put} and {@link Cache#remove} change the
         * cache only.
         *
         * @return this
         */
        public Builder<K, V> cacheAside() {
            strategy = Strategy.CACHE_ASIDE;
            return this;
        }

        /**
         * Lets {@link Cache#put} and {@link Cache#remove} write the store before the cache. Needs a {@link Store}.
         *
         * @return this
         */
        public Builder<K, V> writeThrough() {
            strategy = Strategy.WRITE_THROUGH;
            return this;
        }

        /**
         * Lets {@link Cache#put} and {@link Cache#remove} write the store and drop the cached value. For values that
         * are written more often than they are read, which would push others out. Needs a {@link Store}.
         *
         * @return this
         */
        public Builder<K, V> writeAround() {
            strategy = Strategy.WRITE_AROUND;
            return this;
        }

        /**
         * How many values are held at most (the {@code maximumSize} of Caffeine). Default: 10,000. When there are more,
         * those that are least likely to be read again are evicted. The bound is enforced soon after each write, not at
         * every moment.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> maxSize(long value) {
            maxSize = Require.range("maxSize", value, 1, Long.MAX_VALUE);
            return this;
        }

        /**
         * Whether hits, misses, loads and evictions are counted for the metrics. Default: false. It costs some
         * nanoseconds a call.
         *
         * @param value true to count
         * @return this
         */
        public Builder<K, V> totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if settings contradict each other: refreshing later than a value expires,
         *     serving what is stale where nothing expires, a soft timeout without an old value to serve
         */
        public CacheConfig<K, V> build() {
            return new CacheConfig<>(this);
        }
    }
}
