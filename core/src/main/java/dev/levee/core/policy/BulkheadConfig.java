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
    private final boolean refuseWithoutTime;
    private final boolean newestFirstWhenLate;

    private BulkheadConfig(Builder builder) {
        maxConcurrent = builder.maxConcurrent;
        maxWaiting = builder.maxWaiting;
        maxWait = builder.maxWait;
        refuseWithoutTime = builder.refuseWithoutTime;
        newestFirstWhenLate = builder.newestFirstWhenLate;
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
        builder.refuseWithoutTime = refuseWithoutTime;
        builder.newestFirstWhenLate = newestFirstWhenLate;
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

    /**
     * Returns whether a call in the queue is refused when it has no time left, as set by
     * {@link Builder#refuseWithoutTime}.
     *
     * @return whether it is
     */
    public boolean refuseWithoutTime() {
        return refuseWithoutTime;
    }

    /**
     * Returns whether a late queue serves the newest call first, as set by {@link Builder#newestFirstWhenLate}.
     *
     * @return whether it does
     */
    public boolean newestFirstWhenLate() {
        return newestFirstWhenLate;
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
        private boolean refuseWithoutTime = true;
        private boolean newestFirstWhenLate = true;

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
         * Lets calls wait for their turn, first come first served until the queue is late
         * ({@link #newestFirstWhenLate}). Default: none may wait.
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
         * Refuses a call that would have to be begun with less time left until its deadline than calls take lately:
         * when it comes and has to wait, or when its turn comes. It would be cut off before it ends, and keep a permit
         * until then from another one. The message of the {@link BulkheadFullException} says so. A call without a
         * deadline is never refused for this, nor is any while it is not known how long calls take, which the calls
         * tell that have waited; known is about their median.
         *
         * <p>Set it to false if many calls end long before the median, and those that wait are mostly of that kind.
         * Default: true.
         *
         * @param value whether to refuse such a call
         * @return this
         */
        public Builder refuseWithoutTime(boolean value) {
            refuseWithoutTime = value;
            return this;
        }

        /**
         * Serves the call that came last first while the queue is late: while the oldest call in it has less than twice
         * the time left until its deadline that calls take lately. When more calls come than can be served, not all of
         * them will be in time; first come first served then begins each of them with hardly any time left, and the
         * newest first begins some of them with all of theirs. Calls without a deadline are never late.
         *
         * <p>Set it to false if a call that came earlier must never be begun later. Default: true.
         *
         * @param value whether the newest call is first then
         * @return this
         */
        public Builder newestFirstWhenLate(boolean value) {
            newestFirstWhenLate = value;
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
