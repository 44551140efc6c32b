package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoint a balancer picks and why, and how each of its endpoints stands: for a person who looks.
 *
 * @param endpoint the endpoint, or null if there is none to pick
 * @param reason why, in plain words: the strategy and the figures that decided
 * @param endpoints all endpoints, as in {@link LoadBalancer#snapshot}
 * @param <A> the type of the address
 * @since 0.1
 */
public record Explanation<A>(@Nullable Endpoint<A> endpoint, String reason, List<EndpointState<A>> endpoints) {
    /**
     * An explanation.
     *
     * @param endpoint the endpoint, or null
     * @param reason why
     * @param endpoints all endpoints
     */
    public Explanation {
        endpoints = List.copyOf(endpoints);
    }

    /** The pick and the reason on one line, then each endpoint on a line of its own. */
    @Override
    public String toString() {
        return (endpoint == null ? "no endpoint" : endpoint.id()) + ": " + reason
                + endpoints.stream().map(state -> "\n  " + state).collect(Collectors.joining());
    }
}
