package dev.levee.spring.web.autoconfigure;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.spring.web.ClientGuard;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * The guards that are configured under {@code levee.http.clients}, by the name of the client, which is the host in its
 * requests. Thread-safe.
 *
 * @since 0.1
 */
public final class ClientGuards implements Measured, AutoCloseable {
    private static final String ROOT = "levee.http";
    private static final String PREFIX = ROOT + ".clients";

    private final Map<String, ClientGuard> guards;

    private ClientGuards(Map<String, ClientGuard> guards) {
        this.guards = Collections.unmodifiableMap(guards);
    }

    /** A client in the configuration. */
    record ClientProperties(
            @Nullable List<String> endpoints, @Nullable String pipeline) {}

    /** All that is in the configuration, so that what is misspelled beside the clients is found too. */
    record HttpProperties(
            @Nullable Map<String, ClientProperties> clients,
            InboundAutoConfiguration.@Nullable ServerProperties server) {}

    static ClientGuards bind(Binder binder, Function<String, @Nullable Policy> policies, Environment environment) {
        HttpProperties http =
                binder.bind(ROOT, Bindable.of(HttpProperties.class), strict()).orElse(new HttpProperties(null, null));
        Map<String, ClientProperties> clients = http.clients() == null ? Map.of() : http.clients();
        Map<String, URI[]> endpoints = new LinkedHashMap<>();
        Map<String, Policy> pipelines = new LinkedHashMap<>();
        clients.forEach((name, client) -> { // all of it is read before anything starts
            endpoints.put(name, endpoints(name, client));
            if (client.pipeline() != null) {
                pipelines.put(name, pipeline(name, client.pipeline(), policies));
            }
        });
        Map<String, ClientGuard> guards = new LinkedHashMap<>();
        endpoints.forEach((name, uris) -> guards.put(name, Require.naming("client", name, () -> {
            EndpointSource<URI> source = EndpointSource.ofAddresses(List.of(uris));
            Policy pipeline = pipelines.get(name);
            return pipeline == null
                    ? ClientGuard.of(name, source, environment)
                    : ClientGuard.of(
                            name,
                            pipeline,
                            ClientGuard.balancer(name, source, BalancingStrategy.powerOfTwoChoices(), environment),
                            environment);
        })));
        return new ClientGuards(guards);
    }

    /** Refuses unknown properties; not variables of the process, of which LEVEE_HTTP_PORT may be of a container. */
    static BindHandler strict() {
        return new NoUnboundElementsBindHandler(
                BindHandler.DEFAULT,
                source -> !(source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource));
    }

    private static URI[] endpoints(String name, ClientProperties client) {
        String key = PREFIX + "." + name + ".endpoints";
        if (client.endpoints() == null || client.endpoints().isEmpty()) {
            throw new IllegalArgumentException(key + " must name at least one URI");
        }
        List<URI> uris = new ArrayList<>();
        for (String text : client.endpoints()) {
            URI uri;
            try {
                uri = URI.create(text.strip());
            } catch (IllegalArgumentException notOne) {
                uri = null;
            }
            if (uri == null || uri.getHost() == null || uri.getRawUserInfo() != null || !isHttp(uri)) {
                throw new IllegalArgumentException(
                        key + " must be URIs such as http://10.0.0.1:8080, without user info, but one is not");
            }
            uris.add(uri);
        }
        return uris.toArray(URI[]::new);
    }

    private static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
    }

    private static Policy pipeline(String name, String pipeline, Function<String, @Nullable Policy> policies) {
        Policy policy = policies.apply(pipeline);
        if (policy == null) {
            throw new IllegalArgumentException(
                    PREFIX + "." + name + ".pipeline: there is no policy or pipeline \"" + pipeline + "\"");
        }
        return policy;
    }

    /**
     * Returns the guard of a client.
     *
     * @param name the client as it is configured
     * @return the guard
     * @throws NullPointerException if {@code name} is null
     * @throws IllegalArgumentException if there is no such client
     */
    public ClientGuard guard(String name) {
        ClientGuard guard = guards.get(Require.nonNull("name", name));
        if (guard == null) {
            throw new IllegalArgumentException("client must be one of " + guards.keySet() + ", but was " + name);
        }
        return guard;
    }

    /**
     * Returns all guards.
     *
     * @return the guards, unmodifiable
     */
    public Collection<ClientGuard> guards() {
        return guards.values();
    }

    @Override
    public void measure(Sink sink) {
        guards.values().forEach(guard -> guard.measure(sink));
    }

    @Override
    public void close() {
        guards.values().forEach(ClientGuard::close);
    }
}
