package dev.levee.core.signals;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Require;

/**
 * The settings of a {@link CallMeter}. Immutable.
 *
 * @since 0.1
 */
public final class CallMeterConfig {
    private final OutcomeRule outcomes;

    private CallMeterConfig(Builder builder) {
        outcomes = builder.outcomes;
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
        return new Builder().outcomes(outcomes);
    }

    /**
     * Returns what counts as a failure.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    /**
     * Sets the settings of a {@link CallMeter}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private OutcomeRule outcomes = OutcomeRule.standard();

        private Builder() {}

        /**
         * Sets what counts as a failure. Default: {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public CallMeterConfig build() {
            return new CallMeterConfig(this);
        }
    }
}
