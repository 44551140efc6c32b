package dev.levee.core.policy;

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
     * Starts from the defaults.
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
        Builder builder = new Builder();
        builder.maxConcurrent = maxConcurrent;
        builder.maxWaiting = maxWaiting;
        builder.maxWait = maxWait;
        return builder;
    }

    /**
     * How many calls may be in flight.
     *
     * @return from 1
     */
    public int maxConcurrent() {
        return maxConcurrent;
    }

    /**
     * How many calls may wait for their turn.
     *
     * @return 0 if none may
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * How long a call may wait for its turn.
     *
     * @return the time; only the call's own deadline bounds it if it is longer than about 146 years
     */
    public Duration maxWait() {
        return maxWait;
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }

    /**
     * Sets up a {@link Bulkhead}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxConcurrent = 25;
        private int maxWaiting;
        private Duration maxWait = Duration.ofSeconds(Long.MAX_VALUE);

        Builder() {}

        /**
         * How many calls may be in flight; default 25.
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
         * Lets calls wait for their turn, first come first served; by default none may.
         *
         * @param calls how many may wait, from 0
         * @param longest how long each may wait, more than zero; the deadline of the call may end it earlier
         * @return this
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Builder queue(int calls, Duration longest) {
            maxWaiting = Require.range("queue calls", calls, 0, Integer.MAX_VALUE);
            maxWait = Require.positive("queue longest", longest);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public BulkheadConfig build() {
            return new BulkheadConfig(this);
        }
    }
}
