package dev.levee.loadbalancing;

import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoint a balancer picks and why, and the state of each of its endpoints: for diagnosis by a person.
 * Immutable.
 *
 * @param <A> the type of the address
 * @since 0.1
 */
public final class Explanation<A> {
    private final @Nullable Endpoint<A> endpoint;
    private final String reason;
    private final List<EndpointState<A>> endpoints;

    Explanation(@Nullable Endpoint<A> endpoint, String reason, List<EndpointState<A>> endpoints) {
        this.endpoint = endpoint;
        this.reason = reason;
        this.endpoints = List.copyOf(endpoints);
    }

    /**
     * Returns the endpoint that is picked.
     *
     * @return the endpoint, or null if there is none to pick
     */
    public @Nullable Endpoint<A> endpoint() {
        return endpoint;
    }

    /**
     * Returns why, in plain words: the strategy and the figures that decided.
     *
     * @return the reason
     */
    public String reason() {
        return reason;
    }

    /**
     * Returns the state of every endpoint, as in {@link LoadBalancer#snapshot}.
     *
     * @return all endpoints, in the order of their ids
     */
    public List<EndpointState<A>> endpoints() {
        return endpoints;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Explanation<?> that
                && Objects.equals(endpoint, that.endpoint)
                && reason.equals(that.reason)
                && endpoints.equals(that.endpoints);
    }

    @Override
    public int hashCode() {
        return Objects.hash(endpoint, reason, endpoints);
    }

    /** Returns the pick and the reason on one line, then each endpoint on a line of its own. */
    @Override
    public String toString() {
        return (endpoint == null ? "no endpoint" : Text.printable(endpoint.id())) + ": " + reason
                + endpoints.stream().map(state -> "\n  " + state).collect(Collectors.joining());
    }
}
