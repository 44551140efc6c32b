package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link LoadBalancer}, apart from its strategy and its endpoints. Immutable.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class LoadBalancerConfig<A> {
    private final Builder<A> settings;

    private LoadBalancerConfig(Builder<A> builder) {
        settings = new Builder<>(builder);
    }

    /**
     * Starts from the defaults: no gates, no health, tickets that last an hour, no totals.
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

    /** {@return the function that makes the gate of an endpoint, or null if endpoints have no gates} */
    public @Nullable Function<? super Endpoint<A>, ? extends Gate> gatePerEndpoint() {
        return settings.gatePerEndpoint;
    }

    /** {@return the function that says what figures, events and the log call an endpoint} */
    public Function<? super Endpoint<A>, String> labelPerEndpoint() {
        return settings.labelPerEndpoint;
    }

    /** {@return whether calls go past gates that refuse, when the gates of all endpoints do} */
    public boolean passesGates() {
        return settings.passesGates;
    }

    /**
     * Returns the rule that judges how a call ended, for the strategy and for health.
     *
     * @return the rule, or null for that of the endpoint's gate, and the {@linkplain OutcomeRule#standard() standard
     *     rule} where there is no gate
     */
    public @Nullable OutcomeRule outcomes() {
        return settings.outcomes;
    }

    /** {@return the lease of a ticket: how long it may be open, more than zero} */
    public Duration lease() {
        return settings.lease;
    }

    long leaseNanos() {
        return Nanos.of(settings.lease);
    }

    /** {@return how health is watched, or null if it is not} */
    public @Nullable HealthConfig<A> health() {
        return settings.health;
    }

    /** {@return how long calls in flight may take when their endpoint drains, or null if nothing is closed} */
    public @Nullable Duration drainDeadline() {
        return settings.drainDeadline;
    }

    /** {@return what closes the resources of an endpoint that has drained, or null if nothing is closed} */
    public @Nullable Consumer<? super Endpoint<A>> drainCloser() {
        return settings.drainCloser;
    }

    /** {@return whether the picks of each endpoint are counted} */
    public boolean totals() {
        return settings.totals;
    }

    /**
     * Sets the parts of a {@link LoadBalancerConfig}.
     *
     * @param <A> the type of the addresses
     * @since 0.1
     */
    public static final class Builder<A> {
        private @Nullable Function<? super Endpoint<A>, ? extends Gate> gatePerEndpoint;
        private Function<? super Endpoint<A>, String> labelPerEndpoint = Endpoint::id;
        private boolean passesGates = true;
        private @Nullable OutcomeRule outcomes;
        private Duration lease = Duration.ofHours(1);
        private @Nullable HealthConfig<A> health;
        private @Nullable Duration drainDeadline;
        private @Nullable Consumer<? super Endpoint<A>> drainCloser;
        private boolean totals;

        Builder() {}

        private Builder(Builder<A> from) {
            gatePerEndpoint = from.gatePerEndpoint;
            labelPerEndpoint = from.labelPerEndpoint;
            passesGates = from.passesGates;
            outcomes = from.outcomes;
            lease = from.lease;
            health = from.health;
            drainDeadline = from.drainDeadline;
            drainCloser = from.drainCloser;
            totals = from.totals;
        }

        /**
         * Gives each endpoint a gate of its own, such as a circuit breaker: the health of the endpoint as calls show
         * it. A call goes to another endpoint if the gate refuses; how it ends is reported to the gate, by the verdict
         * of the gate's own rule. The balancer never waits at a gate. Default: no gates.
         *
         * <p>Gates learn from the balancer what they cannot know alone: an outcome of a call during which this process
         * stood still reaches them as {@code IGNORED}, a health check that has passed lets them
         * {@linkplain Gate#allowProbe probe}, and see {@link #passesGates}.
         *
         * @param value called once for each endpoint that joins, when it joins; must return a new gate each time
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> gatePerEndpoint(Function<? super Endpoint<A>, ? extends Gate> value) {
            gatePerEndpoint = Require.nonNull("gatePerEndpoint", value);
            return this;
        }

        /**
         * Sets what figures, events and the log call an endpoint, after the name of the balancer and a slash; for
         * example the name of a host instead of its address, or a zone where a label for each endpoint is too many.
         * Endpoints may share a label; their figures then have the same name. Default: {@link Endpoint#id}.
         *
         * @param value called once for each endpoint that joins, when it joins; must not return null
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> labelPerEndpoint(Function<? super Endpoint<A>, String> value) {
            labelPerEndpoint = Require.nonNull("labelPerEndpoint", value);
            return this;
        }

        /**
         * Sets whether calls go past the gates when those of all endpoints refuse, as far as the gates
         * {@linkplain Gate#mayBePassed may be passed}: breakers that have opened may, bulkheads and limits may not.
         * Breakers that are all open at once tell of a fault that the endpoints share, or of one of this process, and
         * not which endpoint to leave out. How many calls are in flight so at an endpoint is bounded: ten at first, one
         * more after each success, fewer after each failure, down to one. Does not apply to a set of one endpoint, for
         * which its breaker speaks alone. Default: true.
         *
         * @param value false to refuse such calls with {@link NoEndpointException}
         * @return this
         */
        public Builder<A> passesGates(boolean value) {
            passesGates = value;
            return this;
        }

        /**
         * Sets the rule that judges how calls end, for strategies that learn from it and for {@link #health}. Each gate
         * still judges by a rule of its own. Default: the rule of the endpoint's gate; the
         * {@linkplain OutcomeRule#standard() standard rule} where there is no gate.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes the rule that judges how calls end, starting from the rule that is set, or from the
         * {@linkplain OutcomeRule#standard() standard rule} if none is.
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder<A> outcomes(UnaryOperator<OutcomeRule> change) {
            OutcomeRule rule = outcomes == null ? OutcomeRule.standard() : outcomes;
            return outcomes(Require.nonNull("change", change).apply(rule));
        }

        /**
         * Sets the lease of a ticket: how long a {@link Ticket}, or an asynchronous call, counts as in flight if it is
         * not closed. Then the balancer closes it, without evidence about the endpoint, and counts it as
         * {@code balancer.expired}. Make it longer than the longest call, or the balancer takes a busy endpoint for an
         * idle one. {@link dev.levee.core.Deadline#FOREVER} means never, and needs no timer. Default: one hour.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         * @throws NullPointerException if it is null
         */
        public Builder<A> lease(Duration value) {
            lease = Require.positive("lease", value);
            return this;
        }

        /**
         * Watches the health of endpoints and leaves out those that do badly. {@code health(h -> {})} has defaults that
         * need no tuning: it observes how calls end, ejects an endpoint that does much worse than the others, and never
         * many at once. Checks, slow start and other limits are options of it. Default: health is not watched, and
         * calls pay nothing.
         *
         * @param configure changes the defaults, or what was set before
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> health(Consumer<? super HealthConfig.Builder<A>> configure) {
            HealthConfig.Builder<A> builder = health == null ? HealthConfig.builder() : health.toBuilder();
            Require.nonNull("configure", configure).accept(builder);
            return health(builder.build());
        }

        /**
         * Watches the health of endpoints; see {@link #health(Consumer)}.
         *
         * @param value the settings, instead of what was set before
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<A> health(HealthConfig<A> value) {
            health = Require.nonNull("health", value);
            return this;
        }

        /**
         * Closes what belongs to an endpoint, such as a pool of connections, when the endpoint has left or its weight
         * has become 0, and its last call has ended or the deadline has come. No call begins there any more, so an
         * endpoint that comes back, or gets a weight again, is a new one with counters of its own. Each instance is
         * closed exactly once; {@link LoadBalancer#close} closes those that are still draining. Default: nothing is
         * closed.
         *
         * @param deadline how long calls in flight may take; zero for no time at all,
         *     {@link dev.levee.core.Deadline#FOREVER} for no limit
         * @param closer runs on the executor of the environment; what it throws is logged
         * @return this
         * @throws IllegalArgumentException if the deadline is negative
         * @throws NullPointerException if one of them is null
         */
        public Builder<A> drain(Duration deadline, Consumer<? super Endpoint<A>> closer) {
            Require.notNegative("deadline", deadline);
            drainCloser = Require.nonNull("closer", closer);
            drainDeadline = deadline;
            return this;
        }

        /**
         * Counts the picks of each endpoint, for {@link LoadBalancer#snapshot} and {@link LoadBalancer#measure}.
         * Default: off, since it is one more write for each call.
         *
         * @param value whether to count
         * @return this
         */
        public Builder<A> totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         */
        public LoadBalancerConfig<A> build() {
            return new LoadBalancerConfig<>(this);
        }
    }
}
