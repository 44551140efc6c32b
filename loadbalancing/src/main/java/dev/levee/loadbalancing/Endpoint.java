package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;

/**
 * One of the places that a call may go to. Provisional.
 *
 * <p>The id is what the balancer and every hash know an endpoint by: it must be the same in every JVM of a cluster for hashing to
 * agree, so it is never taken from a hash code. Two endpoints with one id are one endpoint. Immutable; thread-safe if the address
 * is.
 *
 * <p>A weight is a share, relative to the weights of the others: with 3 and 1, three calls of four. It is a {@code double}, so
 * that a weight can be a measured one and a slow start can be a part of it. Weight 0 drains: no new calls go there, those in flight
 * end. If all weights are 0, all endpoints are used equally, since an outage is worse than a call to a server that is about to go.
 *
 * @param id what it is known by, not blank
 * @param address what the client needs to call it; compared by {@code equals}
 * @param weight its share, finite, from 0 to {@link #MAXIMUM_WEIGHT}
 * @param <A> the type of the address
 * @since 0.1
 */
public record Endpoint<A>(String id, A address, double weight) {
    /** The largest weight: 10^12. */
    public static final double MAXIMUM_WEIGHT = 1e12;

    /**
     * An endpoint.
     *
     * @param id what it is known by, not blank
     * @param address what the client needs to call it
     * @param weight its share, finite, from 0 to {@link #MAXIMUM_WEIGHT}
     * @throws IllegalArgumentException if the id is blank, or the weight is out of its range or not a number
     */
    public Endpoint {
        if (Require.nonNull("id", id).isBlank()) {
            throw new IllegalArgumentException("id must not be blank, but was \"" + id + "\"");
        }
        Require.nonNull("address", address);
        if (!(weight >= 0.0 && weight <= MAXIMUM_WEIGHT)) {
            throw new IllegalArgumentException("weight must be from 0 to 1.0E12, but was " + weight);
        }
        weight = weight + 0.0; // there is only one zero
    }

    /**
     * An endpoint of weight 1 that is known by its address.
     *
     * @param address an {@code InetSocketAddress}, which is known by its host in normal form and its port whether it is resolved or
     *     not; anything else is known by its {@code toString()}, which must be the same in every JVM
     * @param <A> the type of the address
     * @return the endpoint
     */
    public static <A> Endpoint<A> of(A address) {
        return of(address, 1.0);
    }

    /**
     * An endpoint that is known by its address; see {@link #of(Object)}.
     *
     * @param address the address
     * @param weight its share, from 0 to {@link #MAXIMUM_WEIGHT}
     * @param <A> the type of the address
     * @return the endpoint
     * @throws IllegalArgumentException if the weight is out of its range or not a number
     */
    public static <A> Endpoint<A> of(A address, double weight) {
        return new Endpoint<>(AddressText.of(Require.nonNull("address", address)), address, weight);
    }

    /**
     * This endpoint with another weight.
     *
     * @param other the weight
     * @return the endpoint
     * @throws IllegalArgumentException if the weight is out of its range or not a number
     */
    public Endpoint<A> withWeight(double other) {
        return new Endpoint<>(id, address, other);
    }
}
