package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Says among which endpoints a {@link LoadBalancer} chooses, and tells when they change. Provisional.
 *
 * <p>A lambda is enough for one of your own: tell the receiver the endpoints as soon as they are known, if possible before
 * {@code subscribe} returns, and again after each change, and return what stops that.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
@FunctionalInterface
public interface EndpointSource<A> {
    /** Stops a subscription. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {
        /** Stops telling the receiver. May be called more than once. */
        @Override
        void close();
    }

    /**
     * Tells a receiver the endpoints, now and after each change, until the subscription is closed.
     *
     * @param receiver gets all endpoints each time, in any order; must be thread-safe and must not block
     * @return what stops it
     */
    Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver);

    /**
     * Endpoints that never change.
     *
     * @param endpoints the endpoints
     * @param <A> the type of the addresses
     * @return the source
     */
    static <A> EndpointSource<A> of(Collection<Endpoint<A>> endpoints) {
        List<Endpoint<A>> fixed = List.copyOf(Require.nonNull("endpoints", endpoints));
        return receiver -> {
            receiver.accept(fixed);
            return () -> {};
        };
    }

    /**
     * Endpoints of weight 1 that never change, known by their addresses; see {@link Endpoint#of(Object)}.
     *
     * @param addresses the addresses
     * @param <A> the type of the addresses
     * @return the source
     */
    static <A> EndpointSource<A> ofAddresses(Collection<? extends A> addresses) {
        List<Endpoint<A>> endpoints = new ArrayList<>();
        for (A address : Require.nonNull("addresses", addresses)) {
            endpoints.add(Endpoint.of(address));
        }
        return of(endpoints);
    }

    /**
     * Endpoints that your code sets.
     *
     * @param endpoints those to begin with, which may be none
     * @param <A> the type of the addresses
     * @return the source
     */
    static <A> UpdatableEndpoints<A> updatable(Collection<Endpoint<A>> endpoints) {
        return new UpdatableEndpoints<>(endpoints);
    }

    /**
     * This source with other addresses, such as URIs instead of sockets. Ids and weights stay.
     *
     * @param function makes the new address of an old one; called for every endpoint at every change, and must give equal addresses
     *     for equal ones
     * @param <B> the type of the new addresses
     * @return the source
     */
    default <B> EndpointSource<B> map(Function<? super A, ? extends B> function) {
        Require.nonNull("function", function);
        return receiver -> subscribe(endpoints -> {
            List<Endpoint<B>> mapped = new ArrayList<>(endpoints.size());
            for (Endpoint<A> endpoint : endpoints) {
                mapped.add(new Endpoint<>(endpoint.id(), function.apply(endpoint.address()), endpoint.weight()));
            }
            receiver.accept(mapped);
        });
    }
}
