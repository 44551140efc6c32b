package dev.levee.ratelimit.concurrency;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The settings of an {@link AdaptiveBulkhead}. Immutable.
 *
 * @since 0.1
 */
public final class AdaptiveBulkheadConfig {
    private final ConcurrencyLimit limit;
    private final int minLimit;
    private final int maxLimit;
    private final int initialLimit;
    private final Map<String, Double> partitions;
    private final Duration heldTooLong;
    private final OutcomeRule outcomes;

    private AdaptiveBulkheadConfig(Builder builder) {
        limit = builder.limit;
        minLimit = builder.minLimit;
        maxLimit = builder.maxLimit;
        initialLimit = builder.initialLimit;
        partitions = Collections.unmodifiableMap(new LinkedHashMap<>(builder.partitions));
        heldTooLong = builder.heldTooLong;
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
        return new Builder(this);
    }

    /**
     * Returns by which algorithm the limit is found.
     *
     * @return the algorithm
     */
    public ConcurrencyLimit limit() {
        return limit;
    }

    /**
     * Returns the least limit.
     *
     * @return from 1
     */
    public int minLimit() {
        return minLimit;
    }

    /**
     * Returns the highest limit.
     *
     * @return from the least to 65,536
     */
    public int maxLimit() {
        return maxLimit;
    }

    /**
     * Returns the limit at the beginning.
     *
     * @return between the least and the highest
     */
    public int initialLimit() {
        return initialLimit;
    }

    /**
     * Returns the shares that are guaranteed to partitions.
     *
     * @return the share of each by its name, in the order in which they were added; empty if there are none
     */
    public Map<String, Double> partitions() {
        return partitions;
    }

    /**
     * Returns from what age on a permit counts as held too long.
     *
     * @return more than zero
     */
    public Duration heldTooLong() {
        return heldTooLong;
    }

    /**
     * Returns the rule that judges outcomes.
     *
     * @return the rule
     */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    long heldTooLongNanos() {
        return Nanos.of(heldTooLong);
    }

    LimitBounds bounds() {
        return new LimitBounds(minLimit, maxLimit, initialLimit);
    }

    /**
     * Builds the settings of an {@link AdaptiveBulkhead}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        /** For a place of each permit in the stamps. */
        private static final int MAX_LIMIT = 65_536;

        /** For a partition in the stamps, and what no partition has. */
        private static final int MAX_PARTITIONS = 15;

        private static final double ROUNDING = 1e-9;

        private ConcurrencyLimit limit = ConcurrencyLimit.knee();
        private int minLimit = 2;
        private int maxLimit = 1000;
        private int initialLimit = 20;
        private final Map<String, Double> partitions = new LinkedHashMap<>();
        private Duration heldTooLong = Duration.ofMinutes(5);
        private OutcomeRule outcomes = OutcomeRule.standard();

        Builder() {}

        private Builder(AdaptiveBulkheadConfig config) {
            limit = config.limit;
            minLimit = config.minLimit;
            maxLimit = config.maxLimit;
            initialLimit = config.initialLimit;
            partitions.putAll(config.partitions);
            heldTooLong = config.heldTooLong;
            outcomes = config.outcomes;
        }

        /**
         * Sets by which algorithm the limit is found. Default: {@link ConcurrencyLimit#knee()}.
         *
         * @param value the algorithm
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder limit(ConcurrencyLimit value) {
            limit = Require.nonNull("limit", value);
            return this;
        }

        /**
         * Sets the least limit: so many calls may always be in flight. Default: 2.
         *
         * @param value from 1 to 65,536
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder minLimit(int value) {
            minLimit = Require.range("minLimit", value, 1, MAX_LIMIT);
            return this;
        }

        /**
         * Sets the highest limit, above which it never goes, whatever was learnt. Costs 32 to 64 bytes for each.
         * Default: 1000.
         *
         * @param value from 1 to 65,536
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder maxLimit(int value) {
            maxLimit = Require.range("maxLimit", value, 1, MAX_LIMIT);
            return this;
        }

        /**
         * Sets the limit at the beginning. It is found anew within seconds, so a rough guess is enough. Default: 20.
         *
         * @param value between the least and the highest limit
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder initialLimit(int value) {
            initialLimit = Require.range("initialLimit", value, 1, MAX_LIMIT);
            return this;
        }

        /**
         * Guarantees a share of the limit to a part of the calls, those that come by
         * {@link AdaptiveBulkhead#partition}. Permits of it that the partition has not needed lately are lent to
         * others; as soon as it is refused one, no more are lent. All shares together are at most 1; what is not shared
         * out is lent to all. Default: no partitions.
         *
         * @param name for {@link AdaptiveBulkhead#partition}, metrics and refusals
         * @param share more than 0, at most 1
         * @return this
         * @throws NullPointerException if the name is null
         * @throws IllegalArgumentException if the name is blank, has a control character or was added before, the share
         *     is out of its range, or there are 15 partitions already
         */
        public Builder partition(String name, double share) {
            Require.name(name);
            if (partitions.containsKey(name)) {
                throw new IllegalArgumentException("partition \"" + name + "\" must be added once");
            }
            if (partitions.size() == MAX_PARTITIONS) {
                throw new IllegalArgumentException(
                        "partitions must be at most " + MAX_PARTITIONS + ", but \"" + name + "\" is one more");
            }
            partitions.put(name, Require.ratio("share of partition \"" + name + "\"", share));
            return this;
        }

        /**
         * Changes the share of a partition that was added, such as for {@link AdaptiveBulkhead#reconfigure}.
         *
         * @param name as it was added
         * @param share more than 0, at most 1
         * @return this
         * @throws NullPointerException if the name is null
         * @throws IllegalArgumentException if there is no such partition, or the share is out of its range
         */
        public Builder share(String name, double share) {
            if (!partitions.containsKey(Require.nonNull("name", name))) {
                throw new IllegalArgumentException(
                        "partition \"" + name + "\" must be added before its share is changed");
            }
            partitions.put(name, Require.ratio("share of partition \"" + name + "\"", share));
            return this;
        }

        /**
         * Sets from what age on a permit counts as held too long, and is reported. It is not taken away: its call may
         * still be under way. Default: 5 minutes.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder heldTooLong(Duration value) {
            heldTooLong = Require.positive("heldTooLong", value);
            return this;
        }

        /**
         * Sets the rule that judges outcomes. A verdict of {@code THROTTLED} or {@code NOT_SENT} is a call that was
         * dropped; {@code FAILURE} is one if it comes late. Default: {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         * @throws IllegalArgumentException if the limits are not in order, if the least is less than the number of
         *     partitions, which have a permit each, or if the shares are more than 1 together
         */
        public AdaptiveBulkheadConfig build() {
            Require.range("maxLimit", maxLimit, minLimit, MAX_LIMIT);
            Require.range("initialLimit", initialLimit, minLimit, maxLimit);
            double sum =
                    partitions.values().stream().mapToDouble(share -> share).sum();
            if (sum > 1 + ROUNDING) {
                throw new IllegalArgumentException("shares of partitions must be at most 1 together, but were " + sum);
            }
            int pools = partitions.size() + (sum < 1 - ROUNDING ? 1 : 0);
            if (!partitions.isEmpty()) {
                Require.range(
                        "minLimit of " + pools + " partitions, with what is not shared out,",
                        minLimit,
                        pools,
                        MAX_LIMIT);
            }
            return new AdaptiveBulkheadConfig(this);
        }
    }
}
