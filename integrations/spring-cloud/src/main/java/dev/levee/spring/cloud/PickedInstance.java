package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;

/**
 * A service instance that a balancer has picked for one request. It carries the ticket, because it is the one object
 * that every client of Spring Cloud hands back when the request has ended.
 */
final class PickedInstance implements ServiceInstance {
    private final ServiceInstance instance;
    private final Ticket<ServiceInstance> ticket;

    PickedInstance(ServiceInstance instance, Ticket<ServiceInstance> ticket) {
        this.instance = instance;
        this.ticket = ticket;
    }

    Ticket<ServiceInstance> ticket() {
        return ticket;
    }

    @Override
    public @Nullable String getInstanceId() {
        return instance.getInstanceId();
    }

    @Override
    public String getServiceId() {
        return instance.getServiceId();
    }

    @Override
    public String getHost() {
        return instance.getHost();
    }

    @Override
    public int getPort() {
        return instance.getPort();
    }

    @Override
    public boolean isSecure() {
        return instance.isSecure();
    }

    @Override
    public URI getUri() {
        return instance.getUri();
    }

    @Override
    public @Nullable Map<String, String> getMetadata() {
        return instance.getMetadata();
    }

    @Override
    public @Nullable String getScheme() {
        return instance.getScheme();
    }

    @Override
    public String toString() {
        return instance.toString();
    }
}
