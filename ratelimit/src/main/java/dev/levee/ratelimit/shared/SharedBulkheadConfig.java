package dev.levee.ratelimit.shared;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a {@link SharedBulkhead}. Immutable.
 *
 * @since 0.1
 */
public final class SharedBulkheadConfig {
    private static final Duration MIN_LEASE = Duration.ofMillis(100);
    private static final Duration MAX_LEASE = Duration.ofDays(1);

    private final int maxConcurrent;
    private final long revision;
    private final Duration lease;
    private final int maxWaiting;
    private final Duration maxWait;
    private final int outagePermits;

    private SharedBulkheadConfig(Builder builder) {
        maxConcurrent = builder.maxConcurrent;
        revision = builder.revision;
        lease = builder.lease;
        maxWaiting = builder.maxWaiting;
        maxWait = builder.maxWait;
        outagePermits = builder.outagePermits;
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
     * Returns how many calls of all processes may be in flight.
     *
     * @return from 1
     */
    public int maxConcurrent() {
        return maxConcurrent;
    }

    /**
     * Returns the revision of the limit, as set by {@link Builder#revision}.
     *
     * @return from 0
     */
    public long revision() {
        return revision;
    }

    /**
     * Returns for how long a lease lasts.
     *
     * @return the time
     */
    public Duration lease() {
        return lease;
    }

    /**
     * Returns how many calls of this process may wait for their turn, as set by {@link Builder#queue}.
     *
     * @return from 0
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * Returns how long a call may wait for its turn, as set by {@link Builder#queue}.
     *
     * @return the time
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how many calls of this process may be in flight without a lease.
     *
     * @return from 0
     */
    public int outagePermits() {
        return outagePermits;
    }

    long leaseNanos() {
        return Nanos.of(lease);
    }

    /**
     * Builds the settings of a {@link SharedBulkhead}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxConcurrent = 25;
        private long revision;
        private Duration lease = Duration.ofSeconds(6);
        private int maxWaiting;
        private Duration maxWait = Deadline.FOREVER;
        private int outagePermits;

        Builder() {}

        /**
         * Sets how many calls of all processes together may be in flight. Default: 25.
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
         * Sets the revision of limit and lease. Where processes differ the highest applies; those that differ within
         * one revision contradict each other. Raise it with each change, so that old and new processes can be there at
         * once. Default: 0.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder revision(long value) {
            revision = Require.range("revision", value, 0, Long.MAX_VALUE - 1);
            return this;
        }

        /**
         * Sets for how long a lease lasts: how long the permits of a process that has died are missing, and how long a
         * process goes on when the store is gone. Let calls take less than two thirds of it. Default: 6 s.
         *
         * @param value from 100 ms to a day
         * @return this
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder lease(Duration value) {
            Require.positive("lease", value);
            if (value.compareTo(MIN_LEASE) < 0 || value.compareTo(MAX_LEASE) > 0) {
                throw new IllegalArgumentException("lease must be from " + Nanos.text(MIN_LEASE) + " to "
                        + Nanos.text(MAX_LEASE) + ", but was " + Nanos.text(value));
            }
            lease = value;
            return this;
        }

        /**
         * Lets calls of this process wait for their turn, as in a
         * {@linkplain dev.levee.core.policy.BulkheadConfig.Builder#queue bulkhead of one process}; also for the first
         * lease, and for a store that is back. Default: none may wait.
         *
         * @param maxWaiting how many may wait, from 0
         * @param maxWait how long each may wait, more than zero
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
         * Sets how many calls of this process may be in flight when it has no lease: because the store is not reached
         * or refuses, or because processes contradict each other. That is beyond the limit: in the worst case as many
         * in each process, and what others still have. Default: 0, which is to admit nothing without a lease.
         *
         * @param value from 0
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder outagePermits(int value) {
            outagePermits = Require.range("outagePermits", value, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Builds the settings.
         *
         * @return the settings
         */
        public SharedBulkheadConfig build() {
            return new SharedBulkheadConfig(this);
        }
    }
}
