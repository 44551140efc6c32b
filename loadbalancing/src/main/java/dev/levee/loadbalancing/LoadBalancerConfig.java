package dev.levee.loadbalancing;

import dev.levee.core.Gate;
import dev.levee.core.internal.Require;
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
    private final boolean totals;

    private LoadBalancerConfig(Builder<A> builder) {
        gates = builder.gates;
        totals = builder.totals;
    }

    /**
     * Starts from the defaults: no gates, no totals.
     *
     * @param <A> the type of the addresses
     * @return a builder; not thread-safe
     */
    public static <A> Builder<A> builder() {
        return new Builder<>(null, false);
    }

    /**
     * Starts from this.
     *
     * @return a builder; not thread-safe
     */
    public Builder<A> toBuilder() {
        return new Builder<>(gates, totals);
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
        private boolean totals;

        Builder(@Nullable Function<? super Endpoint<A>, ? extends Gate> gates, boolean totals) {
            this.gates = gates;
            this.totals = totals;
        }

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
