package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.loadbalancer.CompletionContext;
import org.springframework.cloud.client.loadbalancer.LoadBalancerLifecycle;
import org.springframework.cloud.client.loadbalancer.Request;
import org.springframework.cloud.client.loadbalancer.Response;

/**
 * Tells an {@link InstanceBalancer} how a request has ended. However often it is told, the first time counts.
 *
 * <p>Thread-safe; keeps nothing.
 *
 * @since 0.1
 */
public final class TicketLifecycle implements LoadBalancerLifecycle<Object, Object, ServiceInstance> {
    private TicketLifecycle() {}

    /**
     * Returns a lifecycle, for every service the same.
     *
     * @return the lifecycle
     */
    public static TicketLifecycle create() {
        return new TicketLifecycle();
    }

    @Override
    public void onStart(Request<Object> request) {}

    @Override
    public void onStartRequest(Request<Object> request, Response<ServiceInstance> response) {}

    @Override
    public void onComplete(CompletionContext<Object, ServiceInstance, Object> completion) {
        Response<ServiceInstance> response = completion.getLoadBalancerResponse();
        Ticket<ServiceInstance> ticket =
                response == null || !response.hasServer() ? null : PickedInstance.ticketOf(response.getServer());
        if (ticket == null) {
            return;
        }
        switch (completion.status()) {
            case SUCCESS -> ticket.complete(completion.getClientResponse(), null);
            case FAILED -> {
                Throwable error = completion.getThrowable();
                ticket.complete(null, error == null ? new IllegalStateException("the request failed") : error);
            }
            case DISCARD -> ticket.close();
        }
    }
}
