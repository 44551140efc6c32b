package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;

/**
 * A service instance that a balancer has picked for one request. It carries the ticket, because it is the one object
 * that every client of Spring Cloud hands back when the request has ended.
 */
final class PickedInstance extends InstanceView {
    private final Ticket<ServiceInstance> ticket;

    PickedInstance(ServiceInstance instance, Ticket<ServiceInstance> ticket) {
        super(instance);
        this.ticket = ticket;
    }

    /**
     * Returns the ticket of an instance that was picked, also where a client has wrapped the instance, as the gateway
     * on servlets does: every wrapper passes the metadata on.
     */
    static @Nullable Ticket<ServiceInstance> ticketOf(@Nullable ServiceInstance instance) {
        if (instance instanceof PickedInstance picked) {
            return picked.ticket;
        }
        return instance != null && instance.getMetadata() instanceof TicketMetadata metadata ? metadata.ticket : null;
    }

    @Override
    public Map<String, String> getMetadata() {
        Map<String, String> metadata = instance.getMetadata();
        return new TicketMetadata(metadata == null ? Map.of() : metadata, ticket);
    }

    @Override
    public String toString() {
        return instance.toString();
    }
}
