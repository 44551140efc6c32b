package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
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

    Ticket<ServiceInstance> ticket() {
        return ticket;
    }

    @Override
    public String toString() {
        return instance.toString();
    }
}
