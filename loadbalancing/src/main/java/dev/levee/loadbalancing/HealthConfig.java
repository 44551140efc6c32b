package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The settings by which a {@link LoadBalancer} watches the health of its endpoints; see
 * {@link LoadBalancerConfig.Builder#health}. Immutable.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class HealthConfig<A> {
    private final Builder<A> settings;

    private HealthConfig(Builder<A> builder) {
        settings = new Builder<>(builder);
    }

    /**
     * Starts from the defaults, which are those of the builder's methods.
     *
     * @param <A> the type of the addresses
     * @return a builder; not thread-safe
     */
    public static <A> Builder<A> builder() {
        return new Builder<>();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder<A> toBuilder() {
        return new Builder<>(settings);
    }

    /** Whether the outcomes of calls are observed. */
    boolean observesCalls() {
        return settings.consecutiveFailures > 0 || settings.successRateDeviations > 0.0 || settings.failureRate > 0.0;
    }

    /** {@return the check of an endpoint, or null if there are no checks} */
    public @Nullable HealthCheck<? super A> check() {
        return settings.check;
    }

    /** {@return the interval of the checks of an endpoint, more than zero} */
    public Duration checkEvery() {
        return settings.checkEvery;
    }

    /** {@return the largest part of the interval of checks that is added at random, from 0 to 1} */
    public double checkJitter() {
        return settings.checkJitter;
    }

    /** {@return how long a check may take, more than zero} */
    public Duration checkTimeout() {
        return settings.checkTimeout;
    }

    /** {@return how many checks of one balancer may run at the same time, 1 or more} */
    public int maxConcurrentChecks() {
        return settings.maxConcurrentChecks;
    }

    /** {@return how many checks in a row must pass until an unhealthy endpoint is used again, 1 or more} */
    public int healthyAfter() {
        return settings.healthyAfter;
    }

    /** {@return how many checks in a row must fail until an endpoint is left out, 1 or more} */
    public int unhealthyAfter() {
        return settings.unhealthyAfter;
    }

    /** {@return whether new endpoints are left out until their first check has passed; no effect without checks} */
    public boolean mustBeChecked() {
        return settings.mustBeChecked;
    }

    /** {@return how many failures in a row eject an endpoint; 0 if this rule is off} */
    public int consecutiveFailures() {
        return settings.consecutiveFailures;
    }

    /** {@return the share of failed calls in an interval that ejects an endpoint; 0 if this rule is off} */
    public double failureRate() {
        return settings.failureRate;
    }

    /** {@return how many calls of an interval the rule of {@link #failureRate} needs, 1 or more} */
    public int failureRateMinCalls() {
        return settings.failureRateMinCalls;
    }

    /** {@return how many deviations below the mean a success rate ejects an endpoint; 0 if this rule is off} */
    public double successRateDeviations() {
        return settings.successRateDeviations;
    }

    /** {@return how many calls of an interval the rule of {@link #successRateDeviations} needs, 1 or more} */
    public int successRateMinCalls() {
        return settings.successRateMinCalls;
    }

    /** {@return how many endpoints must have enough calls for rates to be compared, 2 or more} */
    public int minEndpoints() {
        return settings.minEndpoints;
    }

    /** {@return the interval of which rates are compared, more than zero} */
    public Duration compareEvery() {
        return settings.compareEvery;
    }

    /** {@return how long the first ejection of an endpoint lasts, more than zero} */
    public Duration ejectFor() {
        return settings.ejectFor;
    }

    /** {@return how long an ejection lasts at most; {@link #ejectFor} if that is longer} */
    public Duration maxEjectFor() {
        return settings.maxEjectFor;
    }

    /** {@return the largest share of endpoints that may be out of use before ejection stops, from 0 to 1} */
    public double maxEjected() {
        return settings.maxEjected;
    }

    /**
     * {@return the share of usable endpoints below which there is a panic; 0 if there is never one} Unless it was set,
     * a set of fewer than ten endpoints panics only when none of them is usable.
     */
    public double panicBelow() {
        return settings.panicBelow;
    }

    /** Whether a small set panics only when none of its endpoints is usable. */
    boolean sparesSmallSets() {
        return settings.sparesSmallSets && !settings.refuseInPanic;
    }

    /** {@return whether calls are refused in a panic; if not, all endpoints are used} */
    public boolean refuseInPanic() {
        return settings.refuseInPanic;
    }

    /** {@return how long the share of a new endpoint grows; zero for no slow start} */
    public Duration slowStart() {
        return settings.slowStart;
    }

    /** {@return 1 if the share grows in a straight line; more if it grows faster at the beginning} */
    public double slowStartAggression() {
        return settings.slowStartAggression;
    }

    /**
     * Sets the parts of a {@link HealthConfig}.
     *
     * @param <A> the type of the addresses
     * @since 0.1
     */
    public static final class Builder<A> {
        private static final int MAX = 1_000_000_000;

        private @Nullable HealthCheck<? super A> check;
        private Duration checkEvery = Duration.ofSeconds(5);
        private double checkJitter = 0.2;
        private Duration checkTimeout = Duration.ofSeconds(1);
        private int maxConcurrentChecks = 16;
        private int healthyAfter = 2;
        private int unhealthyAfter = 3;
        private boolean mustBeChecked;
        private int consecutiveFailures = 5;
        private double failureRate = 0.85;
        private int failureRateMinCalls = 50;
        private double successRateDeviations = 1.9;
        private int successRateMinCalls = 100;
        private int minEndpoints = 5;
        private Duration compareEvery = Duration.ofSeconds(10);
        private Duration ejectFor = Duration.ofSeconds(30);
        private Duration maxEjectFor = Duration.ofMinutes(5);
        private double maxEjected = 0.1;
        private double panicBelow = 0.5;
        private boolean sparesSmallSets = true;
        private boolean refuseInPanic;
        private Duration slowStart = Duration.ZERO;
        private double slowStartAggression = 1.0;

        Builder() {}

        private Builder(Builder<A> from) {
            check = from.check;
            checkEvery = from.checkEvery;
            checkJitter = from.checkJitter;
            checkTimeout = from.checkTimeout;
            maxConcurrentChecks = from.maxConcurrentChecks;
            healthyAfter = from.healthyAfter;
            unhealthyAfter = from.unhealthyAfter;
            mustBeChecked = from.mustBeChecked;
            consecutiveFailures = from.consecutiveFailures;
            failureRate = from.failureRate;
            failureRateMinCalls = from.failureRateMinCalls;
            successRateDeviations = from.successRateDeviations;
            successRateMinCalls = from.successRateMinCalls;
            minEndpoints = from.minEndpoints;
            compareEvery = from.compareEvery;
            ejectFor = from.ejectFor;
            maxEjectFor = from.maxEjectFor;
            maxEjected = from.maxEjected;
            panicBelow = from.panicBelow;
            sparesSmallSets = from.sparesSmallSets;
            refuseInPanic = from.refuseInPanic;
            slowStart = from.slowStart;
            slowStartAggression = from.slowStartAggression;
        }

        /**
         * Checks each endpoint, at once when it joins and then again and again. Default: no checks.
         *
         * @param value the check, such as {@link HealthCheck#http} or {@link HealthCheck#tcp}
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> check(HealthCheck<? super A> value) {
            check = Require.nonNull("check", value);
            return this;
        }

        /**
         * Sets how often an endpoint is checked, from the beginning of a check to that of the next, and a random part
         * that is added each time so that clients do not check in step. Default: 5 s, and up to 20 % longer.
         *
         * @param value the interval
         * @param jitter the largest part of the interval that is added, from 0 to 1
         * @return this
         * @throws IllegalArgumentException if the interval is zero or negative, or the jitter is outside its range
         * @throws NullPointerException if the interval is null
         */
        public Builder<A> checkEvery(Duration value, double jitter) {
            Require.positive("checkEvery", value);
            checkJitter = share("jitter", jitter);
            checkEvery = value;
            return this;
        }

        /**
         * Sets how long a check may take before it has failed. Default: 1 s.
         *
         * @param value the timeout
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         * @throws NullPointerException if it is null
         */
        public Builder<A> checkTimeout(Duration value) {
            checkTimeout = Require.positive("checkTimeout", value);
            return this;
        }

        /**
         * Sets how many checks of this balancer may run at the same time. Default: 16.
         *
         * @param value from 1 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> maxConcurrentChecks(int value) {
            maxConcurrentChecks = Require.range("maxConcurrentChecks", value, 1, MAX);
            return this;
        }

        /**
         * Sets how many checks in a row must pass until an endpoint that failed them is used again. The first check of
         * an endpoint suffices if it passes. Default: 2.
         *
         * @param value from 1 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> healthyAfter(int value) {
            healthyAfter = Require.range("healthyAfter", value, 1, MAX);
            return this;
        }

        /**
         * Sets how many checks in a row must fail until an endpoint is left out. Default: 3.
         *
         * @param value from 1 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> unhealthyAfter(int value) {
            unhealthyAfter = Require.range("unhealthyAfter", value, 1, MAX);
            return this;
        }

        /**
         * Leaves new endpoints out until their first check has passed. Default: they are used until checks fail, so
         * that a set which discovery replaces at once never leaves the balancer without endpoints.
         *
         * @param value whether they must have passed a check
         * @return this
         */
        public Builder<A> mustBeChecked(boolean value) {
            mustBeChecked = value;
            return this;
        }

        /**
         * Ejects an endpoint after N failed calls in a row. More are needed while the other endpoints fail as well.
         * Default: 5.
         *
         * @param value how many, from 0 to 1,000,000,000; 0 turns this rule off
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> consecutiveFailures(int value) {
            consecutiveFailures = Require.range("consecutiveFailures", value, 0, MAX);
            return this;
        }

        /**
         * Ejects an endpoint if this share of its calls in an interval failed. Default: 0.85 of 50 calls or more.
         *
         * @param value the share, from 0 to 1; 0 turns this rule off
         * @param minCalls how many calls an endpoint must have had in the interval to be judged or compared with, from
         *     1 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if one of them is outside its range
         */
        public Builder<A> failureRate(double value, int minCalls) {
            share("failureRate", value);
            failureRateMinCalls = Require.range("minCalls", minCalls, 1, MAX);
            failureRate = value;
            return this;
        }

        /**
         * Ejects an endpoint whose success rate in an interval is N standard deviations below the mean of the
         * endpoints. Default: 1.9, of 100 calls or more.
         *
         * @param deviations how many, from 0 to 1,000,000,000; 0 turns this rule off
         * @param minCalls how many calls an endpoint must have had in the interval to be judged or compared with, from
         *     1 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if one of them is outside its range
         */
        public Builder<A> successRate(double deviations, int minCalls) {
            if (!(deviations >= 0.0 && deviations <= MAX)) {
                throw new IllegalArgumentException("deviations must be from 0 to " + MAX + ", but was " + deviations);
            }
            successRateMinCalls = Require.range("minCalls", minCalls, 1, MAX);
            successRateDeviations = deviations;
            return this;
        }

        /**
         * Sets how many endpoints must have had enough calls in an interval for rates to be compared. Default: 5.
         *
         * @param value from 2 to 1,000,000,000
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> minEndpoints(int value) {
            minEndpoints = Require.range("minEndpoints", value, 2, MAX);
            return this;
        }

        /**
         * Sets the interval of which rates are compared. Default: 10 s.
         *
         * @param value the interval
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         * @throws NullPointerException if it is null
         */
        public Builder<A> compareEvery(Duration value) {
            compareEvery = Require.positive("compareEvery", value);
            return this;
        }

        /**
         * Sets how long an ejection lasts: the base the first time, twice the base the next time, and so on up to the
         * maximum. Each interval without ejection takes one base off. Default: 30 s, at most 5 minutes.
         *
         * @param base the first time
         * @param max the longest time; if it is shorter than the base, the base counts
         * @return this
         * @throws IllegalArgumentException if one of them is zero or negative
         * @throws NullPointerException if one of them is null
         */
        public Builder<A> ejectFor(Duration base, Duration max) {
            Require.positive("base", base);
            maxEjectFor = Require.positive("max", max);
            ejectFor = base;
            return this;
        }

        /**
         * Sets the largest share of endpoints that may be out of use before ejection stops: endpoints that are ejected
         * and those that checks have found unhealthy count together. One may always be ejected while another is usable.
         * Default: 0.1.
         *
         * @param value from 0 to 1; 0 ejects none
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> maxEjected(double value) {
            maxEjected = share("maxEjected", value);
            return this;
        }

        /**
         * Sets the share of usable endpoints below which all endpoints are used, unless lower priorities can take over;
         * see {@link #refuseInPanic}. Default: 0.5; but in a set of fewer than ten endpoints, of one priority, only
         * when none is usable, since there each of those that are down would get a large part of the calls. A value
         * that is set, or {@link #refuseInPanic}, holds for sets of any size.
         *
         * @param value from 0 to 1; 0 for never, so that a set without any usable endpoint refuses
         * @return this
         * @throws IllegalArgumentException if it is outside that range
         */
        public Builder<A> panicBelow(double value) {
            panicBelow = share("panicBelow", value);
            sparesSmallSets = false;
            return this;
        }

        /**
         * Refuses calls in a panic, rather than use endpoints that are not healthy. Default: no, they are used.
         *
         * @param value whether to refuse
         * @return this
         */
        public Builder<A> refuseInPanic(boolean value) {
            refuseInPanic = value;
            return this;
        }

        /**
         * Lets the share of an endpoint that is new, or usable again, grow in a straight line. Default: no slow start.
         *
         * @param window how long; zero for no slow start
         * @return this
         * @throws IllegalArgumentException if it is negative
         * @throws NullPointerException if it is null
         */
        public Builder<A> slowStart(Duration window) {
            return slowStart(window, 1.0);
        }

        /**
         * Lets the share of an endpoint that is new, or usable again, grow: {@code (elapsed / window)^(1 / aggression)}
         * of its weight, at least 10 %. The first endpoints of a balancer begin with their whole weight. Default: no
         * slow start.
         *
         * @param window how long; zero for no slow start
         * @param aggression 1 for a straight line, more for more at the beginning; from 0.01 to 100
         * @return this
         * @throws IllegalArgumentException if the window is negative or the aggression outside its range
         * @throws NullPointerException if the window is null
         */
        public Builder<A> slowStart(Duration window, double aggression) {
            if (!(aggression >= 0.01 && aggression <= 100.0)) {
                throw new IllegalArgumentException("aggression must be from 0.01 to 100, but was " + aggression);
            }
            slowStart = Require.notNegative("window", window);
            slowStartAggression = aggression;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public HealthConfig<A> build() {
            return new HealthConfig<>(this);
        }

        private static double share(String name, double value) {
            if (!(value >= 0.0 && value <= 1.0)) {
                throw new IllegalArgumentException(name + " must be from 0 to 1, but was " + value);
            }
            return value;
        }
    }
}
