package dev.levee.ratelimit.concurrency;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a {@link PriorityShedder}. Immutable.
 *
 * @since 0.1
 */
public final class PriorityShedderConfig {
    private final Duration period;
    private final Duration armAfter;

    private PriorityShedderConfig(Builder builder) {
        period = builder.period;
        armAfter = builder.armAfter;
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
        builder.period = period;
        builder.armAfter = armAfter;
        return builder;
    }

    /**
     * Returns how often the share of refused calls is set.
     *
     * @return from 10 ms to a minute
     */
    public Duration period() {
        return period;
    }

    /**
     * Returns for how long there must be an overload before any call is refused.
     *
     * @return at least the period
     */
    public Duration armAfter() {
        return armAfter;
    }

    long periodNanos() {
        return Nanos.of(period);
    }

    long armAfterNanos() {
        return Nanos.of(armAfter);
    }

    /**
     * Builds the settings of a {@link PriorityShedder}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final Duration MIN_PERIOD = Duration.ofMillis(10);
        private static final Duration MAX_PERIOD = Duration.ofMinutes(1);
        private static final Duration MAX_ARM_AFTER = Duration.ofHours(1);

        private Duration period = Duration.ofMillis(500);
        private Duration armAfter = Duration.ofSeconds(1);

        Builder() {}

        /**
         * Sets how often the share of refused calls is set. Default: 500 ms. Calls that take longer than that make the
         * controller slow, not wrong.
         *
         * @param value from 10 ms to a minute
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder period(Duration value) {
            Require.nonNull("period", value);
            if (value.compareTo(MIN_PERIOD) < 0 || value.compareTo(MAX_PERIOD) > 0) {
                throw outOfRange("period", value, MIN_PERIOD, MAX_PERIOD);
            }
            period = value;
            return this;
        }

        /**
         * Sets for how long there must be an overload before any call is refused: the queue was not empty once, or
         * calls were refused for lack of room in every period. Default: 1 s. A burst that is worked off sooner is none.
         *
         * @param value from the period to an hour
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is more than an hour, zero or negative
         */
        public Builder armAfter(Duration value) {
            if (Require.positive("armAfter", value).compareTo(MAX_ARM_AFTER) > 0) {
                throw new IllegalArgumentException(
                        "armAfter must be at most " + Nanos.text(MAX_ARM_AFTER) + ", but was " + Nanos.text(value));
            }
            armAfter = value;
            return this;
        }

        private static IllegalArgumentException outOfRange(String name, Duration value, Duration low, Duration high) {
            return new IllegalArgumentException(name + " must be from " + Nanos.text(low) + " to " + Nanos.text(high)
                    + ", but was " + Nanos.text(value));
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         * @throws IllegalArgumentException if an overload is to last for less than a period
         */
        public PriorityShedderConfig build() {
            if (armAfter.compareTo(period) < 0) {
                throw new IllegalArgumentException("armAfter must be at least the period of " + Nanos.text(period)
                        + ", but was " + Nanos.text(armAfter));
            }
            return new PriorityShedderConfig(this);
        }
    }
}
