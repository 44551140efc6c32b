package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a {@link Bulkhead}. Immutable.
 *
 * @since 0.1
 */
public final class BulkheadConfig {
    private final int maxConcurrent;
    private final int maxWaiting;
    private final Duration maxWait;

    private BulkheadConfig(Builder builder) {
        maxConcurrent = builder.maxConcurrent;
        maxWaiting = builder.maxWaiting;
        maxWait = builder.maxWait;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return the builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.maxConcurrent = maxConcurrent;
        builder.maxWaiting = maxWaiting;
        builder.maxWait = maxWait;
        return builder;
    }

    /**
     * Returns how many calls may be in flight.
     *
     * @return from 1
     */
    public int maxConcurrent() {
        return maxConcurrent;
    }

    /**
     * Returns how many calls may wait for their turn, as set by {@link Builder#queue}.
     *
     * @return from 0, which means that none may
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * Returns how long a call may wait for its turn, as set by {@link Builder#queue}.
     *
     * @return the time; with {@link dev.levee.core.Deadline#FOREVER} only the call's own deadline bounds it
     */
    public Duration maxWait() {
        return maxWait;
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }

    /**
     * Builds the settings of a {@link Bulkhead}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxConcurrent = 25;
        private int maxWaiting;
        private Duration maxWait = Deadline.FOREVER;

        Builder() {}

        /**
         * Sets how many calls may be in flight. Default: 25.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxConcurrent(int value) {
            maxConcurrent = Require.range("maxConcurrent", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Lets calls wait for their turn, first come first served. Default: none may wait.
         *
         * @param maxWaiting how many may wait, from 0
         * @param maxWait how long each may wait, more than zero; the deadline of the call may end it earlier, and alone
         *     ends it with {@link dev.levee.core.Deadline#FOREVER}
         * @return this
         * @throws NullPointerException if {@code maxWait} is null
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Builder queue(int maxWaiting, Duration maxWait) {
            this.maxWaiting = Require.range("maxWaiting", maxWaiting, 0, Integer.MAX_VALUE);
            this.maxWait = Require.positive("maxWait", maxWait);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public BulkheadConfig build() {
            return new BulkheadConfig(this);
        }
    }
}
