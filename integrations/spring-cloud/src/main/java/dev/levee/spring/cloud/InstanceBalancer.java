package dev.levee.spring.cloud;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.DefaultResponse;
import org.springframework.cloud.client.loadbalancer.EmptyResponse;
import org.springframework.cloud.client.loadbalancer.Request;
import org.springframework.cloud.client.loadbalancer.Response;
import org.springframework.cloud.client.loadbalancer.RetryableRequestContext;
import org.springframework.cloud.loadbalancer.core.ReactorServiceInstanceLoadBalancer;
import org.springframework.cloud.loadbalancer.core.SelectedInstanceCallback;
import org.springframework.cloud.loadbalancer.core.ServiceInstanceListSupplier;
import reactor.core.publisher.Mono;

/**
 * Picks the instance of a service for a request of Spring Cloud, by a {@link BalancingStrategy}, and leaves out those
 * that fail.
 *
 * <p>What becomes of a request is told by {@link TicketLifecycle}: until then it counts as in flight at its instance,
 * and its outcome reaches the breaker of the instance and the strategy. A request whose end is never told ends without
 * evidence after the lease, five minutes unless configured otherwise.
 *
 * <p>Instances come from the {@code ServiceInstanceListSupplier} of the service, which is asked at each choice. An
 * instance is known by scheme, host and port, so its breaker outlives a change of its metadata; one without a host is
 * left out. Of metadata {@code zone} becomes the zone and {@code weight} the weight, if it is a number in range.
 * Suppliers that make another list for each request, such as those by hint, are asked for the list of all.
 *
 * <p>Thread-safe. Does not block.
 *
 * @since 0.1
 */
public final class InstanceBalancer implements ReactorServiceInstanceLoadBalancer, Measured, AutoCloseable {
    private static final Duration LEASE = Duration.ofMinutes(5);
    private static final int MAX_PICKS = 3;
    private static final String ZONE = "zone";
    private static final String WEIGHT = "weight";

    private final Supplier<? extends @Nullable ServiceInstanceListSupplier> instances;
    private final UpdatableEndpoints<ServiceInstance> endpoints = EndpointSource.updatable(List.of());
    private final AtomicReference<List<ServiceInstance>> seen = new AtomicReference<>(List.of());
    private final LoadBalancer<ServiceInstance> balancer;

    private InstanceBalancer(
            String serviceId,
            Supplier<? extends @Nullable ServiceInstanceListSupplier> instances,
            BalancingStrategy strategy,
            Consumer<? super LoadBalancerConfig.Builder<ServiceInstance>> configure,
            Environment environment) {
        this.instances = instances;
        this.balancer = LoadBalancer.of(
                serviceId,
                strategy,
                endpoints,
                c -> configure.accept(c.outcomes(CloudOutcomes.rule())
                        .lease(LEASE)
                        .gatePerEndpoint(endpoint -> CircuitBreaker.of(
                                serviceId + "/" + endpoint.id(), b -> b.outcomes(CloudOutcomes.rule()), environment))),
                environment);
    }

    /**
     * Returns a balancer with a breaker for each instance, in {@link Environment#system()}.
     *
     * @param serviceId the name in logs and metrics, not blank
     * @param instances gives what knows the instances, or null as long as there is nothing
     * @param strategy picks an instance for each request
     * @return the balancer
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static InstanceBalancer of(
            String serviceId,
            Supplier<? extends @Nullable ServiceInstanceListSupplier> instances,
            BalancingStrategy strategy) {
        return of(serviceId, instances, strategy, Environment.system());
    }

    /**
     * Returns a balancer with a breaker for each instance.
     *
     * @param serviceId the name in logs and metrics, not blank
     * @param instances gives what knows the instances, or null as long as there is nothing
     * @param strategy picks an instance for each request
     * @param environment for balancer and breakers
     * @return the balancer
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static InstanceBalancer of(
            String serviceId,
            Supplier<? extends @Nullable ServiceInstanceListSupplier> instances,
            BalancingStrategy strategy,
            Environment environment) {
        return of(serviceId, instances, strategy, c -> {}, environment);
    }

    /**
     * Returns a balancer.
     *
     * @param serviceId the name in logs and metrics, not blank
     * @param instances gives what knows the instances, or null as long as there is nothing
     * @param strategy picks an instance for each request
     * @param configure changes the settings: a breaker for each instance, {@link CloudOutcomes}, a lease of five
     *     minutes
     * @param environment for balancer and breakers
     * @return the balancer
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank, or a setting is wrong
     */
    public static InstanceBalancer of(
            String serviceId,
            Supplier<? extends @Nullable ServiceInstanceListSupplier> instances,
            BalancingStrategy strategy,
            Consumer<? super LoadBalancerConfig.Builder<ServiceInstance>> configure,
            Environment environment) {
        Require.name(serviceId);
        Require.nonNull("instances", instances);
        Require.nonNull("strategy", strategy);
        Require.nonNull("configure", configure);
        Require.nonNull("environment", environment);
        return new InstanceBalancer(serviceId, instances, strategy, configure, environment);
    }

    @Override
    @SuppressWarnings("rawtypes") // as the interface has it
    public Mono<Response<ServiceInstance>> choose(Request request) {
        return Mono.defer(() -> {
            ServiceInstanceListSupplier supplier = instances.get();
            if (supplier == null) {
                return Mono.just(new EmptyResponse());
            }
            return supplier.get().next().defaultIfEmpty(List.of()).map(known -> {
                update(known);
                Response<ServiceInstance> response = pick(previous(request));
                ServiceInstance picked = response.getServer();
                if (supplier instanceof SelectedInstanceCallback callback && picked != null) {
                    callback.selectedServiceInstance(picked);
                }
                return response;
            });
        });
    }

    private static @Nullable ServiceInstance previous(Request<?> request) {
        return request != null && request.getContext() instanceof RetryableRequestContext retried
                ? retried.getPreviousServiceInstance()
                : null;
    }

    /** Goes to another instance than the last attempt, if it can. */
    private Response<ServiceInstance> pick(@Nullable ServiceInstance previous) {
        try {
            Ticket<ServiceInstance> ticket = balancer.pick();
            int picks = 1;
            while (isAt(ticket, previous) && picks < MAX_PICKS && balancer.usableEndpoints() > 1) {
                ticket.close();
                ticket = balancer.pick();
                picks++;
            }
            return new DefaultResponse(new PickedInstance(ticket.endpoint().address(), ticket));
        } catch (NoEndpointException none) {
            return new EmptyResponse();
        }
    }

    private static boolean isAt(Ticket<ServiceInstance> ticket, @Nullable ServiceInstance previous) {
        return previous != null
                && new KnownInstance(previous).equals(ticket.endpoint().address());
    }

    private void update(List<ServiceInstance> known) {
        List<ServiceInstance> last = seen.get();
        // A supplier may change the list that it has returned. This is quick: instances that stay are the same.
        if (known.equals(last) || !seen.compareAndSet(last, List.copyOf(known))) {
            return; // the thread that was first sees to it
        }
        List<ServiceInstance> now;
        do {
            now = Objects.requireNonNull(seen.get());
            endpoints.set(endpointsOf(now));
        } while (seen.get() != now);
    }

    private static Collection<Endpoint<ServiceInstance>> endpointsOf(List<ServiceInstance> known) {
        Map<String, Endpoint<ServiceInstance>> byId = new LinkedHashMap<>();
        for (ServiceInstance instance : known) {
            String host = instance.getHost();
            if (host == null || host.isBlank()) {
                continue; // of a registry that is wrong; the others are asked
            }
            KnownInstance address = new KnownInstance(instance);
            byId.putIfAbsent(address.id(), endpointOf(address));
        }
        return byId.values();
    }

    private static Endpoint<ServiceInstance> endpointOf(KnownInstance address) {
        Map<String, String> metadata = address.getMetadata();
        Endpoint<ServiceInstance> endpoint = new Endpoint<>(address.id(), address, weight(metadata));
        String zone = metadata == null ? null : metadata.get(ZONE);
        return zone == null || zone.isBlank() ? endpoint : endpoint.withZone(zone);
    }

    private static double weight(@Nullable Map<String, String> metadata) {
        String text = metadata == null ? null : metadata.get(WEIGHT);
        if (text != null) {
            try {
                double weight = Double.parseDouble(text);
                if (weight >= 0 && weight <= Endpoint.MAX_WEIGHT) {
                    return weight;
                }
            } catch (NumberFormatException notOne) {
                return 1;
            }
        }
        return 1;
    }

    /**
     * Returns the balancer, for its snapshot.
     *
     * @return the balancer
     */
    public LoadBalancer<ServiceInstance> balancer() {
        return balancer;
    }

    @Override
    public void measure(Sink sink) {
        balancer.measure(sink);
    }

    /** Stops all timers but those of requests that are under way. */
    @Override
    public void close() {
        balancer.close();
    }

    @Override
    public String toString() {
        return balancer.toString();
    }
}
