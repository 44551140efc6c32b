package dev.levee.ratelimit.concurrency;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link SheddingBulkhead}. Immutable.
 *
 * @since 0.1
 */
public final class SheddingBulkheadConfig {
    private static final int MAX_CONCURRENT = 25;

    private final int maxConcurrent;
    private final @Nullable AdaptiveBulkheadConfig adaptive;
    private final int maxWaiting;
    private final Duration maxWait;
    private final WaitControl waitControl;
    private final Duration target;
    private final Duration interval;
    private final boolean newestFirst;
    private final boolean refuseWithoutTime;

    private SheddingBulkheadConfig(Builder builder) {
        adaptive = builder.adaptive;
        maxConcurrent = adaptive == null ? builder.maxConcurrent : adaptive.initialLimit();
        maxWaiting = builder.maxWaiting;
        maxWait = builder.maxWait;
        waitControl = builder.waitControl;
        target = builder.target;
        interval = builder.interval;
        newestFirst = builder.newestFirst;
        refuseWithoutTime = builder.refuseWithoutTime;
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
        builder.adaptive = adaptive;
        builder.maxConcurrent = adaptive == null ? maxConcurrent : MAX_CONCURRENT;
        builder.maxWaiting = maxWaiting;
        builder.maxWait = maxWait;
        builder.waitControl = waitControl;
        builder.target = target;
        builder.interval = interval;
        builder.newestFirst = newestFirst;
        builder.refuseWithoutTime = refuseWithoutTime;
        return builder;
    }

    /**
     * Returns how many calls may be in flight at first.
     *
     * @return from 1
     */
    public int maxConcurrent() {
        return maxConcurrent;
    }

    /**
     * Returns how the bulkhead finds by itself how many calls may be in flight.
     *
     * @return the settings of the limit; empty if it is fixed
     */
    public Optional<AdaptiveBulkheadConfig> adaptive() {
        return Optional.ofNullable(adaptive);
    }

    /**
     * Returns how many calls may wait for their turn.
     *
     * @return from 1
     */
    public int maxWaiting() {
        return maxWaiting;
    }

    /**
     * Returns how long a call may wait whatever else holds.
     *
     * @return the time; with {@link Deadline#FOREVER} the other rules alone bound it
     */
    public Duration maxWait() {
        return maxWait;
    }

    /**
     * Returns how the queue is kept from being a standing one.
     *
     * @return the rule
     */
    public WaitControl waitControl() {
        return waitControl;
    }

    /**
     * Returns how long a call may wait in a standing queue, or the wait above which CoDel drops.
     *
     * @return more than zero, at most the interval
     */
    public Duration target() {
        return target;
    }

    /**
     * Returns how long a queue may take to be worked off before it is a standing one.
     *
     * @return more than zero
     */
    public Duration interval() {
        return interval;
    }

    /**
     * Returns whether a standing queue serves the newest of the most critical calls first.
     *
     * @return whether it does
     */
    public boolean newestFirst() {
        return newestFirst;
    }

    /**
     * Returns whether a call that has to wait is refused when it has less time left than calls take.
     *
     * @return whether it is
     */
    public boolean refuseWithoutTime() {
        return refuseWithoutTime;
    }

    static AdaptiveBulkheadConfig withoutPartitions(AdaptiveBulkheadConfig settings) {
        if (!settings.partitions().isEmpty()) {
            throw new IllegalArgumentException("partitions must be none, because the queue goes by criticality, but"
                    + " were " + settings.partitions().keySet());
        }
        return settings;
    }

    long maxWaitNanos() {
        return Nanos.of(maxWait);
    }

    long targetNanos() {
        return Nanos.of(target);
    }

    long intervalNanos() {
        return Nanos.of(interval);
    }

    /**
     * Builds the settings of a {@link SheddingBulkhead}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final Duration MAX_INTERVAL = Duration.ofHours(1);

        private int maxConcurrent = MAX_CONCURRENT;
        private boolean fixed;
        private @Nullable AdaptiveBulkheadConfig adaptive;
        private int maxWaiting = 100;
        private Duration maxWait = Deadline.FOREVER;
        private WaitControl waitControl = WaitControl.STANDING_QUEUE;
        private Duration target = Duration.ofMillis(5);
        private Duration interval = Duration.ofMillis(100);
        private boolean newestFirst = true;
        private boolean refuseWithoutTime = true;

        Builder() {}

        /**
         * Sets how many calls may be in flight at first. Default: 25.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxConcurrent(int value) {
            maxConcurrent = Require.range("maxConcurrent", value, 1, Integer.MAX_VALUE);
            fixed = true;
            return this;
        }

        /**
         * Lets the bulkhead find by itself how many calls may be in flight, as an {@link AdaptiveBulkhead} does: limit,
         * queue and shedding are then one decision. It begins at {@code initialLimit}, knows permits that are held too
         * long, and takes no notice of a second {@code exit} with the same stamp; the queue goes by criticality, so
         * there are no partitions. Default: the limit is {@link #maxConcurrent}, fixed.
         *
         * @param configure sets what differs from the defaults of an adaptive limit
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if a setting is out of its range or there are partitions
         */
        public Builder adaptive(Consumer<? super AdaptiveBulkheadConfig.Builder> configure) {
            AdaptiveBulkheadConfig.Builder builder =
                    adaptive == null ? AdaptiveBulkheadConfig.builder() : adaptive.toBuilder();
            Require.nonNull("configure", configure).accept(builder);
            adaptive = withoutPartitions(builder.build());
            return this;
        }

        /**
         * Sets how many calls may wait for their turn. Default: 100. More is no remedy for a queue that is full: waits
         * bound how many are served.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder maxWaiting(int value) {
            maxWaiting = Require.range("maxWaiting", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Sets how long a call may wait whatever else holds. Default: {@link Deadline#FOREVER}, which leaves it to
         * {@link #waitControl} and the deadline of the call.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder maxWait(Duration value) {
            maxWait = Require.positive("maxWait", value);
            return this;
        }

        /**
         * Sets how the queue is kept from being a standing one. Default: {@link WaitControl#STANDING_QUEUE}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder waitControl(WaitControl value) {
            waitControl = Require.nonNull("waitControl", value);
            return this;
        }

        /**
         * Sets how long a call may wait in a standing queue, or the wait above which CoDel drops. Default: 5 ms. Where
         * calls take longer than a second, a twentieth of the time that their callers wait is a better one.
         *
         * @param value more than zero, at most the interval
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder target(Duration value) {
            target = Require.positive("target", value);
            return this;
        }

        /**
         * Sets how long a queue may take to be worked off before it is a standing one. Default: 100 ms.
         *
         * @param value more than zero, at most an hour
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder interval(Duration value) {
            if (Require.positive("interval", value).compareTo(MAX_INTERVAL) > 0) {
                throw new IllegalArgumentException(
                        "interval must be at most " + Nanos.text(MAX_INTERVAL) + ", but was " + Nanos.text(value));
            }
            interval = value;
            return this;
        }

        /**
         * Sets whether a standing queue serves the newest of the most critical calls first: the one whose caller has
         * waited least and is there most probably. Default: true. False serves the oldest always.
         *
         * @param value whether it does
         * @return this
         */
        public Builder newestFirst(boolean value) {
            newestFirst = value;
            return this;
        }

        /**
         * Refuses a call that would have to be begun with less time left until its deadline than calls take lately:
         * when it comes and has to wait, or when its turn comes. As in
         * {@link dev.levee.core.policy.BulkheadConfig.Builder#refuseWithoutTime}. Default: true.
         *
         * @param value whether to refuse such a call
         * @return this
         */
        public Builder refuseWithoutTime(boolean value) {
            refuseWithoutTime = value;
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         * @throws IllegalArgumentException if the target is longer than the interval, or a limit is set that is found
         */
        public SheddingBulkheadConfig build() {
            if (fixed && adaptive != null) {
                throw new IllegalArgumentException(
                        "maxConcurrent must not be set beside adaptive, which begins at its initialLimit, but was "
                                + maxConcurrent);
            }
            if (target.compareTo(interval) > 0) {
                throw new IllegalArgumentException("target must be at most the interval of " + Nanos.text(interval)
                        + ", but was " + Nanos.text(target));
            }
            return new SheddingBulkheadConfig(this);
        }
    }
}
