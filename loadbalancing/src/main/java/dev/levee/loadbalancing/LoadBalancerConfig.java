package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link LoadBalancer} works, apart from its strategy and its endpoints. Immutable. Provisional.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class LoadBalancerConfig<A> {
    private final @Nullable Function<? super Endpoint<A>, ? extends Gate> gates;
    private final @Nullable OutcomeRule outcomes;
    private final Duration lease;
    private final boolean totals;

    private LoadBalancerConfig(Builder<A> builder) {
        gates = builder.gates;
        outcomes = builder.outcomes;
        lease = builder.lease;
        totals = builder.totals;
    }

    /**
     * Starts from the defaults: no gates, tickets that last an hour, no totals.
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
         * Judges how calls end, for strategies that learn from it. Each gate still judges by a rule of its own. Default: the rule of the
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
