package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link LoadBalancer} watches the health of its endpoints; see {@link LoadBalancerConfig.Builder#health}. Immutable.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class HealthConfig<A> {
    final @Nullable HealthCheck<? super A> check;
    final long checkNanos;
    final double checkJitter;
    final Duration checkTimeout;
    final int maxConcurrentChecks;
    final int consecutiveFailures;
    final Outliers outliers;
    final boolean compares;
    final long sweepNanos;
    final double maxEjected;
    final double panicBelow;
    final boolean refuseInPanic;
    final EndpointHealth.Rules rules;
    private final Builder<A> builder;

    private HealthConfig(Builder<A> from) {
        builder = new Builder<>(from);
        check = from.check;
        checkNanos = Nanos.of(from.checkEvery);
        checkJitter = from.checkJitter;
        checkTimeout = from.checkTimeout;
        maxConcurrentChecks = from.maxConcurrentChecks;
        consecutiveFailures = from.consecutiveFailures;
        outliers = new Outliers(
                from.deviations, from.deviationCalls, from.failureRate, from.failureRateCalls, from.minEndpoints);
        compares = from.deviations > 0.0 || from.failureRate > 0.0;
        sweepNanos = Nanos.of(from.sweepEvery);
        maxEjected = from.maxEjected;
        panicBelow = from.panicBelow;
        refuseInPanic = from.refuseInPanic;
        rules = new EndpointHealth.Rules(
                from.healthyAfter,
                from.unhealthyAfter,
                from.mustBeChecked && from.check != null,
                Nanos.of(from.ejectFor),
                Nanos.of(from.ejectForAtMost),
                from.slowStart);
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
     * Starts from this.
     *
     * @return a builder; not thread-safe
     */
    public Builder<A> toBuilder() {
        return new Builder<>(builder);
    }

    /** Whether the ends of calls are watched. */
    boolean isPassive() {
        return consecutiveFailures > 0 || compares;
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
        private int failureRateCalls = 50;
        private double deviations = 1.9;
        private int deviationCalls = 100;
        private int minEndpoints = 5;
        private Duration sweepEvery = Duration.ofSeconds(10);
        private Duration ejectFor = Duration.ofSeconds(30);
        private Duration ejectForAtMost = Duration.ofMinutes(5);
        private double maxEjected = 0.1;
        private double panicBelow = 0.5;
        private boolean refuseInPanic;
        private SlowStart slowStart = SlowStart.NONE;

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
            failureRateCalls = from.failureRateCalls;
            deviations = from.deviations;
            deviationCalls = from.deviationCalls;
            minEndpoints = from.minEndpoints;
            sweepEvery = from.sweepEvery;
            ejectFor = from.ejectFor;
            ejectForAtMost = from.ejectForAtMost;
            maxEjected = from.maxEjected;
            panicBelow = from.panicBelow;
            refuseInPanic = from.refuseInPanic;
            slowStart = from.slowStart;
        }

        /**
         * Checks each endpoint, at once when it joins and then again and again. Default: no checks.
         *
         * @param value what asks, such as {@link HealthCheck#http} or {@link HealthCheck#tcp}
         * @return this
         */
        public Builder<A> check(HealthCheck<? super A> value) {
            check = Require.nonNull("check", value);
            return this;
        }

        /**
         * How often an endpoint is checked; from the beginning of a check to that of the next. Default: 5 s, each time longer by a random
         * part of up to 20 %, so that clients do not check in step.
         *
         * @param value the interval
         * @param jitter the largest part of the interval that is added, from 0 to 1
         * @return this
         */
        public Builder<A> checkEvery(Duration value, double jitter) {
            checkEvery = Require.positive("checkEvery", value);
            checkJitter = share("jitter", jitter);
            return this;
        }

        /**
         * How long a check may take before it has failed. Default: 1 s.
         *
         * @param value the timeout
         * @return this
         */
        public Builder<A> checkTimeout(Duration value) {
            checkTimeout = Require.positive("checkTimeout", value);
            return this;
        }

        /**
         * How many checks of this balancer may run at the same time. Default: 16.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder<A> maxConcurrentChecks(int value) {
            maxConcurrentChecks = Require.range("maxConcurrentChecks", value, 1, MAX);
            return this;
        }

        /**
         * How many checks in a row must pass until an endpoint that failed them is used again. Default: 2. The first check of an endpoint
         * suffices if it passes.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder<A> healthyAfter(int value) {
            healthyAfter = Require.range("healthyAfter", value, 1, MAX);
            return this;
        }

        /**
         * How many checks in a row must fail until an endpoint is left out. Default: 3.
         *
         * @param value 1 or more
         * @return this
         */
        public Builder<A> unhealthyAfter(int value) {
            unhealthyAfter = Require.range("unhealthyAfter", value, 1, MAX);
            return this;
        }

        /**
         * Leaves new endpoints out until their first check has passed. Default: they are used until checks say otherwise, so that a set
         * which discovery replaces at once never leaves the balancer empty-handed.
         *
         * @param value whether they must have passed a check
         * @return this
         */
        public Builder<A> mustBeChecked(boolean value) {
            mustBeChecked = value;
            return this;
        }

        /**
         * Ejects an endpoint of which so many calls in a row failed. Default: 5. More are needed while the other endpoints fail as well.
         *
         * @param value how many, 0 for this rule to be off
         * @return this
         */
        public Builder<A> consecutiveFailures(int value) {
            consecutiveFailures = Require.range("consecutiveFailures", value, 0, MAX);
            return this;
        }

        /**
         * Ejects an endpoint of which such a share of the calls of an interval failed. Default: 0.85 of 50 calls or more.
         *
         * @param value the share, from 0 to 1; 0 for this rule to be off
         * @param minCalls how many calls an endpoint must have had in the interval to be judged or compared with, 1 or more
         * @return this
         */
        public Builder<A> failureRate(double value, int minCalls) {
            failureRate = share("failureRate", value);
            failureRateCalls = Require.range("minCalls", minCalls, 1, MAX);
            return this;
        }

        /**
         * Ejects an endpoint whose share of successful calls of an interval is below the mean of the endpoints by so many standard
         * deviations. Default: 1.9, of 100 calls or more.
         *
         * @param deviations how many, 0 for this rule to be off
         * @param minCalls how many calls an endpoint must have had in the interval to be judged or compared with, 1 or more
         * @return this
         */
        public Builder<A> successRate(double deviations, int minCalls) {
            if (!(deviations >= 0.0 && deviations <= MAX)) {
                throw new IllegalArgumentException("deviations must be from 0 to " + MAX + ", but was " + deviations);
            }
            this.deviations = deviations;
            deviationCalls = Require.range("minCalls", minCalls, 1, MAX);
            return this;
        }

        /**
         * How many endpoints must have had enough calls in an interval for rates to be compared. Default: 5.
         *
         * @param value 2 or more
         * @return this
         */
        public Builder<A> minEndpoints(int value) {
            minEndpoints = Require.range("minEndpoints", value, 2, MAX);
            return this;
        }

        /**
         * The interval of which rates are compared. Default: 10 s.
         *
         * @param value how long
         * @return this
         */
        public Builder<A> compareEvery(Duration value) {
            sweepEvery = Require.positive("compareEvery", value);
            return this;
        }

        /**
         * How long an endpoint is ejected: the first time so long, the next time twice as long and so on. Each interval without ejection
         * takes one off. Default: 30 s, at most 5 minutes.
         *
         * @param base the first time
         * @param longest never longer than this, or than the base
         * @return this
         */
        public Builder<A> ejectFor(Duration base, Duration longest) {
            ejectFor = Require.positive("base", base);
            ejectForAtMost = Require.positive("longest", longest);
            return this;
        }

        /**
         * How much of the set may be left out for calls to eject one more: endpoints that are ejected and those that checks have found
         * unhealthy count together. One may always be, if there is another that is usable. Default: 0.1.
         *
         * @param value from 0 to 1; 0 ejects nobody
         * @return this
         */
        public Builder<A> maxEjected(double value) {
            maxEjected = share("maxEjected", value);
            return this;
        }

        /**
         * When fewer endpoints than this share are usable, and lower priorities cannot take over, all are used: see
         * {@link #refuseInPanic}. Default: 0.5.
         *
         * @param value from 0 to 1; 0 for never, so that a set without any usable endpoint refuses
         * @return this
         */
        public Builder<A> panicBelow(double value) {
            panicBelow = share("panicBelow", value);
            return this;
        }

        /**
         * What to do in a panic: refuse calls, rather than use endpoints that are not healthy. Default: no, they are used.
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
         */
        public Builder<A> slowStart(Duration window) {
            return slowStart(window, 1.0);
        }

        /**
         * Lets the share of an endpoint that is new, or usable again, grow: {@code (elapsed / window)^(1 / aggression)} of its weight, at
         * least 10 %. The first endpoints of a balancer begin at once.
         *
         * @param window how long; zero for no slow start
         * @param aggression 1 for a straight line, more for more at the beginning; from 0.01 to 100
         * @return this
         */
        public Builder<A> slowStart(Duration window, double aggression) {
            if (!(aggression >= 0.01 && aggression <= 100.0)) {
                throw new IllegalArgumentException("aggression must be from 0.01 to 100, but was " + aggression);
            }
            slowStart = SlowStart.of(Require.notNegative("window", window), aggression);
            return this;
        }

        /**
         * Makes the configuration.
         *
         * @return the configuration
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
