package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link LoadBalancer} works, apart from its strategy and its endpoints. Immutable.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class LoadBalancerConfig<A> {
    private final @Nullable Function<? super Endpoint<A>, ? extends Gate> gates;
    private final @Nullable OutcomeRule outcomes;
    private final Duration lease;
    private final @Nullable HealthConfig<A> health;
    private final Drains.@Nullable Config<A> drain;
    private final boolean totals;

    private LoadBalancerConfig(Builder<A> builder) {
        gates = builder.gates;
        outcomes = builder.outcomes;
        lease = builder.lease;
        health = builder.health;
        drain = builder.drain;
        totals = builder.totals;
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
     * Starts from this.
     *
     * @return a builder; not thread-safe
     */
    public Builder<A> toBuilder() {
        Builder<A> builder = new Builder<>();
        builder.gates = gates;
        builder.outcomes = outcomes;
        builder.lease = lease;
        builder.health = health;
        builder.drain = drain;
        builder.totals = totals;
        return builder;
    }

    /**
     * What makes the gate of an endpoint.
     *
     * @return the function, or null if endpoints have no gates
     */
    public @Nullable Function<? super Endpoint<A>, ? extends Gate> gates() {
        return gates;
    }

    /**
     * What judges how a call ended, for the strategy.
     *
     * @return the rule, or null if it is that of the endpoint's gate, or the standard one where there is no gate
     */
    public @Nullable OutcomeRule outcomes() {
        return outcomes;
    }

    /**
     * How long a ticket may be open.
     *
     * @return the time
     */
    public Duration lease() {
        return lease;
    }

    long leaseNanos() {
        return Nanos.of(lease);
    }

    /**
     * How health is watched.
     *
     * @return the configuration, or null if it is not
     */
    public @Nullable HealthConfig<A> health() {
        return health;
    }

    Drains.@Nullable Config<A> drain() {
        return drain;
    }

    /**
     * Whether picks are counted.
     *
     * @return as it was set
     */
    public boolean totals() {
        return totals;
    }

    /**
     * Sets the parts of a {@link LoadBalancerConfig}.
     *
     * @param <A> the type of the addresses
     * @since 0.1
     */
    public static final class Builder<A> {
        private @Nullable Function<? super Endpoint<A>, ? extends Gate> gates;
        private @Nullable OutcomeRule outcomes;
        private Duration lease = Duration.ofHours(1);
        private @Nullable HealthConfig<A> health;
        private Drains.@Nullable Config<A> drain;
        private boolean totals;

        Builder() {}

        /**
         * Gives each endpoint a gate of its own, such as a circuit breaker: the health of the endpoint as calls show it. A call goes to
         * another endpoint if the gate refuses, and how it ends is told to the gate, by the verdict of the gate's own rule. The balancer
         * never waits at a gate. Default: no gates.
         *
         * @param value called once for each endpoint that joins, when it joins; must give a new gate each time
         * @return this
         */
        public Builder<A> gatePerEndpoint(Function<? super Endpoint<A>, ? extends Gate> value) {
            gates = Require.nonNull("gatePerEndpoint", value);
            return this;
        }

        /**
         * Judges how calls end, for strategies that learn from it and for {@link #health}. Each gate still judges by a rule of its own. Default: the rule of the
         * endpoint's gate; the {@linkplain OutcomeRule#standard() standard rule} where there is no gate.
         *
         * @param value the rule
         * @return this
         */
        public Builder<A> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Bounds how long a {@link Ticket}, or a call that answers later, counts as in flight if nobody ends it: then the balancer does,
         * without evidence about the endpoint, and counts it as {@code balancer.expired}. Make it longer than the longest call, or the
         * balancer believes a busy endpoint idle. Default: one hour. A time of centuries means never, and spares the timer.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<A> lease(Duration value) {
            lease = Require.positive("lease", value);
            return this;
        }

        /**
         * Watches the health of endpoints and leaves those out that do badly. {@code health(h -> {})} has defaults that need no tuning:
         * it watches how calls end, ejects an endpoint that does much worse than the others, and never many at once. Checks, slow start
         * and other limits are options of it. Default: nobody watches, and calls pay nothing.
         *
         * @param configure changes the defaults, or what was set before
         * @return this
         */
        public Builder<A> health(Consumer<? super HealthConfig.Builder<A>> configure) {
            HealthConfig.Builder<A> builder = health == null ? HealthConfig.builder() : health.toBuilder();
            Require.nonNull("configure", configure).accept(builder);
            health = builder.build();
            return this;
        }

        /**
         * Closes what belongs to an endpoint, such as a pool of connections, when the endpoint has left or its weight has become 0 and
         * its last call has ended, or the deadline has come. No call begins there any more, so an endpoint that comes back, or gets
         * a weight again, is a new one with counters of its own. Each instance is closed exactly once; {@link LoadBalancer#close} closes
         * those that are still draining. Default: nothing is closed.
         *
         * @param deadline how long calls in flight may take; zero for no time at all
         * @param closer runs on the executor of the environment; what it throws is logged
         * @return this
         */
        public Builder<A> drain(Duration deadline, Consumer<? super Endpoint<A>> closer) {
            drain = new Drains.Config<>(Require.notNegative("deadline", deadline), Require.nonNull("closer", closer));
            return this;
        }

        /**
         * Counts the picks of each endpoint, for {@link LoadBalancer#snapshot} and {@link LoadBalancer#measure}. Default: off, since it is
         * one more write for each call.
         *
         * @param value whether to count
         * @return this
         */
        public Builder<A> totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the configuration.
         *
         * @return the configuration
         */
        public LoadBalancerConfig<A> build() {
            return new LoadBalancerConfig<>(this);
        }
    }
}
