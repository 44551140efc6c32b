package dev.levee.cache;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a {@link Cache}. Immutable.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class CacheConfig<K, V> {
    private final Strategy strategy;
    private final Duration expireAfter;
    private final double expiryJitter;
    private final long maxSize;
    private final boolean totals;

    private CacheConfig(Builder<K, V> builder) {
        strategy = builder.strategy;
        expireAfter = builder.expireAfter;
        expiryJitter = builder.expiryJitter;
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
     * Returns whether the cache writes the store, set by {@link Builder#cacheAside} and {@link Builder#writeThrough}.
     *
     * @return the strategy
     */
    public Strategy strategy() {
        return strategy;
    }

    /**
     * Returns how long a value is served at most.
     *
     * @return the time since it was put into the cache; with {@link dev.levee.core.Deadline#FOREVER} they never expire
     */
    public Duration expireAfter() {
        return expireAfter;
    }

    /**
     * Returns by which share the life of a value may be shorter than {@link #expireAfter}.
     *
     * @return from 0 to less than 1
     */
    public double expiryJitter() {
        return expiryJitter;
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

    long expireAfterNanos() {
        return Nanos.of(expireAfter);
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
        WRITE_THROUGH
    }

    /**
     * Sets up a {@link Cache}.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> {
        private Strategy strategy = Strategy.CACHE_ASIDE;
        private Duration expireAfter = Duration.ofMinutes(5);
        private double expiryJitter = 0.1;
        private long maxSize = 10_000;
        private boolean totals;

        Builder() {}

        private Builder(CacheConfig<K, V> config) {
            strategy = config.strategy;
            expireAfter = config.expireAfter;
            expiryJitter = config.expiryJitter;
            maxSize = config.maxSize;
            totals = config.totals;
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
         * How long a value is served at most after it was put into the cache, however often it is read. Default: 5
         * minutes. This bounds how long a change goes unseen that was made without an invalidation.
         *
         * @param value more than zero; with {@link dev.levee.core.Deadline#FOREVER} values never expire
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<K, V> expireAfter(Duration value) {
            expireAfter = Require.positive("expireAfter", value);
            return this;
        }

        /**
         * Shortens the life of each value by a random part of at most this share, so that values which came together do
         * not expire, and hit the store, together. Default: 0.1. No value lives longer than {@link #expireAfter}.
         *
         * @param value 0 for equal lives, less than 1
         * @return this
         * @throws IllegalArgumentException if it is outside or not a number
         */
        public Builder<K, V> expiryJitter(double value) {
            if (!(value >= 0.0 && value < 1.0)) {
                throw new IllegalArgumentException("expiryJitter must be from 0 to less than 1, but was " + value);
            }
            expiryJitter = value;
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
         */
        public CacheConfig<K, V> build() {
            return new CacheConfig<>(this);
        }
    }
}
